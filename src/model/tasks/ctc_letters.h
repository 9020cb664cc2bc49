#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::model {

// The letters of a model that scores one a frame (CTC, Graves et al. 2006): vocab.json and
// tokenizer_config.json of Wav2Vec2CTCTokenizer. Immutable.
class CtcLetters {
 public:
  // not_found where the folder has no vocab.json.
  static Result<CtcLetters> open(io::Disk& disk, const io::Path& folder);

  struct Piece {
    std::string text;
    size_t begin = 0, end = 0;  // Frames.
  };
  struct Written {
    std::string text;
    std::vector<Piece> letters;  // Without the blank; the word delimiter is among them.
  };
  // The best letter of each frame: what repeats is one letter, the blank none. Special letters stay, as
  // transformers' pipeline has it. bad_request for a number that is no letter's.
  Result<Written> write(std::span<const uint32_t> best) const;
  // Letters between word delimiters.
  std::vector<Piece> words(const Written& written) const;

  size_t size() const { return letters_.size(); }

 private:
  std::vector<std::optional<std::string>> letters_;  // By number.
  std::string blank_ = "<pad>", delimiter_ = "|", delimiter_written_ = " ";
  bool lowers_ = false, cleans_up_ = false;
};

}  // namespace holdfast::model
