#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "token/fast/code_map.h"
#include "token/fast/piece_model.h"
#include "token/fast/row_room.h"
#include "token/fast/space_sign.h"
#include "token/fast/word_encoder.h"
#include "token/fast/word_model.h"

namespace holdfast::token {

// The last end of a word whose tokens do not follow each other from its begin to its end: its offsets are
// asked for anew.
inline constexpr uint32_t odd_end = UINT32_MAX;

bool is_printable_ascii(std::string_view word);

// The tokens of raw words: a copy of the steps for words of ASCII, the plain parts for others.
class RawWords final : public WordModel {
 public:
  RawWords(WordShape shape, const FastParts& parts, std::unique_ptr<PieceModel> model, SpaceSign spaces);

  // Whether capitals of ASCII become small letters: then what the model joins says nothing about the text.
  bool lowers() const { return lower_; }
  // Ends are code points of the word, or bytes.
  bool ends_are_bytes() const { return is_sentence() && spaces_ == SpaceSign::space; }

  // Words that go on after a cut are printable ASCII.
  bool tokenize(std::string_view word, WordPlace place, Workspace& workspace) const override;
  void tokenize_all(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                    Workspace& workspace) const override;

  // The rows of a word whose ends are odd, one by one: by the map of its code points, or the plain parts.
  bool rows(std::string_view word, uint32_t first_code, int32_t& next_word, Workspace& workspace,
            RowRoom& out) const;

  const PieceModel& model() const { return *model_; }

 private:
  struct RowTarget {
    uint32_t first_code;
    int32_t next_word;
    RowRoom& out;
  };

  bool is_sentence() const { return shape_ == WordShape::sentence || shape_ == WordShape::prefixed_sentence; }
  bool tokenize_sentence(std::string_view word, Workspace& workspace) const;
  void tokenize_mapped(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                       Workspace& workspace) const;
  void put_ascii(std::string_view word, WordPlace place, std::string& piece) const;
  // The piece that the model gets, code point by code point, and where each begins. False where what becomes
  // of one depends on those around it.
  bool map_word(std::string_view word, Workspace& workspace) const;
  // A token gets the code points its bytes came from, so it may begin after the one before it ended, or
  // share one with it; the sign in front came from the first.
  bool rows_by_map(std::string_view word, Workspace& workspace, RowTarget& target) const;
  bool plain(std::string_view word, Workspace& workspace, RowTarget* target) const;

  WordShape shape_;
  FastParts parts_;
  std::unique_ptr<PieceModel> model_;
  SpaceSign spaces_;  // Of sentences.
  CodeMap code_map_;
  bool lower_ = false;
};

}  // namespace holdfast::token
