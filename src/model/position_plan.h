#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::model {

// A bias for each head by bucketed distance, as in T5.
struct DistanceBias {
  std::string table;
  size_t rows = 0;  // Of the table; at least `buckets`.
  size_t buckets = 32, distance_max = 128;
  bool own = false;  // Each layer has its own; the table's name follows the layer's.
};

// Tables of positions that are computed, not stored: sines in the first half of a row, cosines in the second.
enum class Sinusoid : uint8_t {
  none,
  marian,  // Frequencies 10000^(-2i / E). Rows from position 0.
  fairseq  // Frequencies 10000^(-i / (E / 2 - 1)). Row 1 is that of padding, all zeros (M2M-100).
};
// [rows, width]
std::vector<float> sinusoid_rows(Sinusoid kind, size_t rows, size_t width);

}  // namespace holdfast::model
