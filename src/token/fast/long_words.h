#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "token/fast/backtrack_bpe.h"
#include "token/fast/merge_lanes.h"

namespace holdfast::token {

// Tokens of a long text of symbols that the model knows: parts of it are merged by FreeMerges and joined, or
// where these are not for the model or the processor, parts are merged side by side, and each goes
// on before the last tokens of the part before. That is right where all neighbours fit, which is asked at
// each seam; where they do not, more is made again, at last of longer parts by going back and forth.
class LongWords {
 public:
  // Shorter ones are done sooner by going back and forth: in languages without spaces the longest tokens are
  // mostly those that merging makes. Of ASCII they are not.
  static bool is_worth(std::string_view text) {
    constexpr size_t bytes_min = 4096, ascii_min = 512;
    return text.size() >= bytes_min ||
           (text.size() >= ascii_min && std::all_of(text.begin(), text.end(), [](char letter) {
              return static_cast<uint8_t>(letter) < 0x80;
            }));
  }

  explicit LongWords(const BacktrackBpe& model, Instructions instructions = best_instructions())
      : model_(model), instructions_(instructions) {}

  // Ends are bytes of the text. False where the text is refused.
  bool tokenize(std::string_view text, std::vector<uint32_t>& ids, std::vector<uint32_t>& ends,
                BacktrackBpe::Room& room) const;

 private:
  struct Stream;
  struct Tokens {
    std::vector<uint32_t> ids, ends;
  };

  bool merge_freely(const FreeMerges& merges, std::string_view text, Tokens& done,
                    BacktrackBpe::Room& room) const;
  bool run(std::vector<Stream>& streams, std::vector<MergeLanes::Lane>& lanes,
           BacktrackBpe::Room& room) const;
  bool read(const MergeLanes::Lane& lane, Tokens& out) const;
  bool make_longer(Stream& stream, BacktrackBpe::Room& room) const;
  void take(Stream& stream, size_t bytes, BacktrackBpe::Room& room) const;
  bool join(std::string_view text, const Stream& next, Tokens& done, BacktrackBpe::Room& room) const;

  const BacktrackBpe& model_;
  Instructions instructions_;
};

}  // namespace holdfast::token
