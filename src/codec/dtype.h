#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::codec {

// Element types as tensor files name them. Order is that of the reference library: by alignment.
enum class Dtype : uint8_t {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64
};

std::optional<Dtype> dtype_from_name(std::string_view name);  // "F32", as safetensors spells it.
std::string_view dtype_name(Dtype dtype);
uint32_t dtype_bits(Dtype dtype);  // Of one element; 4 and 6 bit elements are packed.

}  // namespace holdfast::codec
