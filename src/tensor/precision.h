#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/isa.h"

namespace holdfast::tensor {

// What a model's products are computed in. Sums are f32 (bf16) or exact whole numbers (int8); what lies
// between products is f32 in all three.
enum class Precision : uint8_t {
  f32,
  bf16,  // Weights and the rows that meet them are rounded to bfloat16.
  int8,  // Weights with a scale per output, rows with a scale per row, both symmetric.
};

std::string_view precision_name(Precision precision);
std::optional<Precision> precision_from_name(std::string_view name);

// The path that a model takes: chosen once, by machine and option, never by shape (design decision 8).
struct Compute {
  Isa isa = best_isa();
  Precision precision = Precision::f32;
};

}  // namespace holdfast::tensor
