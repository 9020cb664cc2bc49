#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "token/unicode/properties.h"

namespace holdfast::token {

// A half-open range, of bytes of the input or, in an Encoding, of its code points.
struct Span {
  uint32_t begin = 0, end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

// What a normalizer makes of one code point after the other.
struct Change {
  char32_t code = 0;
  // 0: replaces the next code point. > 0: is inserted and takes the origin of the byte before. < 0: replaces
  // the next one, and as many more after it are dropped.
  int steps = 0;
};

// A part of a text and whether it is a delimiter; the parts cover the text in order.
struct Match {
  size_t begin = 0, end = 0;
  bool delimiter = false;
};

// Text being normalized, and for each of its bytes the range of input bytes it came from. A value; slices are
// copies.
class NormalizedText {
 public:
  NormalizedText() = default;
  explicit NormalizedText(std::string_view input);  // Valid UTF-8, under 4 GiB.

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  // Where the input bytes of this text begin.
  uint32_t input_begin() const { return input_begin_; }
  // Input bytes that the bytes [begin, end) of text() came from; as the reference answers for ranges that are
  // empty or outside.
  Span origin(size_t begin, size_t end) const;
  NormalizedText slice(size_t begin, size_t end) const;

  // Replaces the whole text; `dropped` code points at its start are left out first.
  void transform(const std::vector<Change>& changes, size_t dropped);
  // True once a change did not fit the text, where the reference panics: the text is not to be used.
  bool is_lost() const { return lost_; }

  // Keeps the code points that `keep` wants.
  template <class Keep>
  void filter(Keep keep);
  // Replaces each code point by one other.
  template <class Map>
  void map(Map map_code);

  void prepend(std::string_view more);
  void replace(const std::vector<Match>& matches, std::string_view content);
  void decompose(Decomposition kind);
  void compose(Decomposition kind);  // Decomposes, then composes again.
  void lower();
  void to_byte_level();  // Each byte by the letter that stands for it in byte-level vocabularies.

  std::vector<char32_t> codes() const;

 private:
  std::string text_;
  std::vector<Span> origins_;  // One for each byte of text_.
  uint32_t input_begin_ = 0;
  bool is_of_nothing_ = false;  // None of the input is in it.
  bool lost_ = false;
};

template <class Keep>
void NormalizedText::filter(Keep keep) {
  std::vector<Change> changes;
  size_t dropped = 0;
  int skipped = 0;
  bool any = false;
  for (const char32_t code : codes()) {
    if (!keep(code)) {
      ++skipped;
      continue;
    }
    if (any)
      changes.back().steps = -skipped;
    else
      dropped = static_cast<size_t>(skipped);
    any = true;
    skipped = 0;
    changes.push_back({code, 0});
  }
  if (any) changes.back().steps = -skipped;
  transform(changes, dropped);
}

template <class Map>
void NormalizedText::map(Map map_code) {
  std::vector<Change> changes;
  for (const char32_t code : codes()) changes.push_back({map_code(code), 0});
  transform(changes, 0);
}

}  // namespace holdfast::token
