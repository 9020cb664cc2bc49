#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "token/normalized_text.h"

namespace holdfast::token {

enum class Side : uint8_t { left, right };

struct Padding {
  std::optional<size_t> length;  // None: as long as the longest of the batch.
  Side side = Side::right;
  std::optional<size_t> multiple_of;
  uint32_t id = 0, type_id = 0;
  std::string token = "[PAD]";
};

// What a tokenizer makes of one text or a pair: columns of equal length, one row a token.
struct Encoding {
  static constexpr int32_t no_word = -1;

  std::vector<uint32_t> ids, type_ids;
  std::vector<std::string> tokens;
  std::vector<Span> offsets;       // Code points of the input; 0, 0 where there is none.
  std::vector<int32_t> words;      // Index of the pre-token or given word; no_word for special tokens.
  std::vector<uint8_t> mask;       // 0 for padding.
  std::vector<uint8_t> special;    // 1 for tokens that post-processing or padding added.
  std::vector<Encoding> overflow;  // What truncation cut off, in parts, each processed like the first.
  // Rows of the first (0) and second (1) text. Empty: all rows are of the first.
  std::map<int, std::pair<size_t, size_t>> ranges;

  size_t size() const { return ids.size(); }
  void push(uint32_t id, std::string token, Span offset, int32_t word, uint32_t type_id, uint8_t is_special);
  std::vector<int> sequences() const;  // For each row 0, 1 or -1.

  // Rows of `more` after ours; overflows are combined each with each.
  void append(const Encoding& more);
  // Keeps `rows_max` rows of one side, the rest goes to overflow in parts that share `stride` rows.
  // tokenization_failed when stride >= rows_max > 0.
  Status truncate(size_t rows_max, size_t stride, Side cut_from);
  void pad(size_t rows, const Padding& padding);

 private:
  void append_rows(const Encoding& more);
  Encoding rows(size_t begin, size_t end) const;
};

void pad_batch(std::vector<Encoding>& batch, const Padding& padding);

}  // namespace holdfast::token
