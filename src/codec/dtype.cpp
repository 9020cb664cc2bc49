#include "codec/dtype.h"

#include <array>

namespace holdfast::codec {
namespace {

struct Row {
  Dtype dtype;
  std::string_view name;
  uint32_t bits;
};

using enum Dtype;
constexpr std::array rows = {
    Row{boolean, "BOOL", 8},    Row{f4, "F4", 4},    Row{f6_e2m3, "F6_E2M3", 6}, Row{f6_e3m2, "F6_E3M2", 6},
    Row{u8, "U8", 8},           Row{i8, "I8", 8},    Row{f8_e5m2, "F8_E5M2", 8}, Row{f8_e4m3, "F8_E4M3", 8},
    Row{f8_e8m0, "F8_E8M0", 8}, Row{i16, "I16", 16}, Row{u16, "U16", 16},        Row{f16, "F16", 16},
    Row{bf16, "BF16", 16},      Row{i32, "I32", 32}, Row{u32, "U32", 32},        Row{f32, "F32", 32},
    Row{c64, "C64", 64},        Row{f64, "F64", 64}, Row{i64, "I64", 64},        Row{u64, "U64", 64},
};

constexpr bool rows_follow_the_enum() {
  for (size_t i = 0; i < rows.size(); ++i)
    if (static_cast<size_t>(rows[i].dtype) != i) return false;
  return true;
}
static_assert(rows_follow_the_enum());

}  // namespace

std::optional<Dtype> dtype_from_name(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.dtype;
  return std::nullopt;
}

std::string_view dtype_name(Dtype dtype) { return rows[static_cast<size_t>(dtype)].name; }

uint32_t dtype_bits(Dtype dtype) { return rows[static_cast<size_t>(dtype)].bits; }

}  // namespace holdfast::codec
