#include "tensor/key_pages.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace holdfast::tensor {
namespace {

constexpr size_t strip_tokens = 16;
constexpr size_t piece = 64;  // Numbers that are rounded at a time.

// One token's numbers as words of the pages: f32, or pairs of neighbours. put(index, word)
template <class Put>
void each_word(const PageShape& shape, const ProductKernel& kernel, const float* in, size_t count, Put put) {
  if (!shape.pairs) {
    for (size_t i = 0; i < count; ++i) {
      uint32_t word;
      std::memcpy(&word, in + i, 4);
      put(i, word);
    }
    return;
  }
  alignas(line_bytes) uint32_t words[piece / 2];
  for (size_t from = 0; from < count; from += piece) {
    PrepareJob job;
    job.in = in + from;
    job.rows = 1;
    job.k = std::min(piece, count - from);
    job.in_stride = job.k;
    job.steps = piece / 2;
    job.out = words;
    job.row_words = piece / 2;
    kernel.prepare(job);
    for (size_t i = 0; i < (job.k + 1) / 2; ++i) put(from / 2 + i, words[i]);
  }
}

// One token in a strip that others have begun.
void put_key(const PageShape& shape, const ProductKernel& kernel, uint32_t* strip, size_t at,
             const float* in) {
  each_word(shape, kernel, in, shape.head_width,
            [&](size_t i, uint32_t word) { strip[i * strip_columns + at] = word; });
}

// One token behind others, where one that was given up may have been: of pairs the second of its line, or the
// first, beside a zero.
void put_value(const PageShape& shape, const ProductKernel& kernel, uint32_t* head, size_t at,
               const float* in) {
  const size_t strip_words = shape.value_steps() * strip_columns;
  const auto line_of = [&](size_t column) {
    return head + column / strip_columns * strip_words + at / shape.a_step() * strip_columns;
  };
  each_word(shape, kernel, in, shape.value_width, [&](size_t i, uint32_t word) {
    if (!shape.pairs) {
      line_of(i)[i % strip_columns] = word;
      return;
    }
    uint32_t* to = line_of(2 * i) + 2 * i % strip_columns;
    const bool both = 2 * i + 1 < shape.value_width;
    if (at % 2 == 0) {
      to[0] = word & 0xFFFFU;
      if (both) to[1] = word >> 16;
    } else {
      to[0] = (to[0] & 0xFFFFU) | word << 16;
      if (both) to[1] = (to[1] & 0xFFFFU) | (word & 0xFFFF0000U);
    }
  });
}

void put_keys(const PageShape& shape, const ProductKernel& kernel, uint32_t* keys, size_t at,
              const TokenRows& tokens) {
  for (size_t i = 0; i < tokens.count;) {
    const size_t place = (at + i) % strip_tokens;
    uint32_t* strip = keys + (at + i) / strip_tokens * shape.key_steps() * strip_columns;
    if (place != 0) {
      put_key(shape, kernel, strip, place, tokens.keys + i * tokens.stride);
      ++i;
      continue;
    }
    PackJob job;
    job.in = tokens.keys + i * tokens.stride;
    job.in_stride = tokens.stride;
    job.rows = std::min(strip_tokens, tokens.count - i);
    job.columns = shape.head_width;
    job.steps = shape.key_steps();
    job.out = reinterpret_cast<std::byte*>(strip);
    kernel.pack_transposed(job);
    i += job.rows;
  }
}

void put_values(const PageShape& shape, const ProductKernel& kernel, uint32_t* values, size_t at,
                const TokenRows& tokens) {
  size_t done = 0;
  if (at % shape.a_step() != 0 || (tokens.count == 1 && at != 0)) {
    put_value(shape, kernel, values, at, tokens.values);
    done = 1;
  }
  if (done == tokens.count) return;
  PackJob job;
  job.in = tokens.values + done * tokens.stride;
  job.in_stride = tokens.stride;
  job.rows = tokens.count - done;
  job.columns = shape.value_width;
  const size_t first = (at + done) / shape.a_step();
  job.steps = shape.value_steps() - first;  // To the end: zeros where no token is yet.
  job.strip_bytes = shape.value_steps() * line_bytes;
  job.out = reinterpret_cast<std::byte*>(values) + first * line_bytes;
  kernel.pack_rows(job);
}

}  // namespace

void put_tokens(const PageShape& shape, const ProductKernel& kernel, float* layer, size_t at,
                const TokenRows& tokens) {
  CHECK(at + tokens.count <= page_tokens && (kernel.words_a_step == 1 || !shape.pairs));
  TokenRows rows = tokens;
  for (size_t head = 0; head < shape.key_heads && tokens.count > 0; ++head, layer += shape.head_floats()) {
    auto* words = reinterpret_cast<uint32_t*>(layer);
    put_keys(shape, kernel, words, at, rows);
    put_values(shape, kernel, words + shape.key_floats(), at, rows);
    rows.keys += shape.head_width;
    rows.values += shape.value_width;
  }
}

}  // namespace holdfast::tensor
