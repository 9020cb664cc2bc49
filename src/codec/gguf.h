#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// GGUF, the file format of ggml's models (docs/formats/gguf.md): header, metadata, tensor table, data.
// Version 2 and 3, little endian. Numbers of the format are those of ggml's gguf.h and the Python package
// gguf 0.19.
inline constexpr uint32_t gguf_magic = 0x46554747;  // "GGUF"
inline constexpr uint64_t gguf_default_alignment = 32;
inline constexpr size_t gguf_rank_max = 4;
inline constexpr size_t gguf_entries_max = 1 << 20;  // Of metadata, and of tensors.

// Element types of tensors, with ggml's numbers.
enum class GgmlType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  q8_k = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  q1_0 = 41,
};

// Elements come in blocks; a row of a tensor is a whole number of them.
struct GgmlTypeRow {
  GgmlType type;
  std::string_view name;  // "Q4_K"
  uint32_t block_elements, block_bytes;
};
const GgmlTypeRow* find_ggml_type(uint32_t number);  // Null where there is none.
const GgmlTypeRow& ggml_type_row(GgmlType type);

// Types of metadata values, with the format's numbers.
enum class GgufValueType : uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  text = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

// An array of metadata. Numbers are kept as their bytes in the file, which may be unaligned; arrays of arrays
// are checked but not kept.
struct GgufArray {
  GgufValueType type = GgufValueType::u8;
  uint64_t count = 0;
  ByteView numbers;                     // count × width of type; empty for text.
  std::vector<std::string_view> texts;  // Where type is text.
};

// A value of metadata. Unsigned and signed numbers of all widths as 64 bits. Texts need not be UTF-8.
using GgufValue = std::variant<uint64_t, int64_t, double, bool, std::string_view, GgufArray>;

struct GgufTensor {
  std::string_view name;
  GgmlType type = GgmlType::f32;
  std::vector<uint64_t> dimensions;  // Fastest first: the reverse of a safetensors shape. Empty: a scalar.
  uint64_t elements = 1;
  ByteView bytes;  // elements / block_elements × block_bytes, aligned as the file says.
};

// A checked file: every text, array and tensor lies within it, names of tensors and keys appear once. Borrows
// the file's bytes. Immutable; safe from any thread.
class GgufFile {
 public:
  // `file` is the whole file (mapped, usually) and outlives what is returned. bad_request with what is wrong;
  // nothing is allocated by a count that the file is too short for.
  static Result<GgufFile> parse(ByteView file);

  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  const GgufTensor* find_tensor(std::string_view name) const;
  const GgufValue* find(std::string_view key) const;
  const std::vector<std::string_view>& keys() const { return keys_; }  // In the file's order.
  uint32_t version() const { return version_; }
  uint64_t data_offset() const { return data_offset_; }

  // The value of `key` where it is there: of another type is bad_request with a message that names the key.
  Result<std::optional<std::string_view>> text_if(std::string_view key) const;
  Result<std::optional<int64_t>> integer_if(std::string_view key) const;
  Result<std::optional<double>> number_if(std::string_view key) const;  // Whole numbers too.
  Result<std::optional<bool>> flag_if(std::string_view key) const;
  // Arrays; a missing key gives nothing. numbers_if takes arrays of any numbers, integers_if of whole ones.
  Result<std::optional<std::vector<std::string_view>>> texts_if(std::string_view key) const;
  Result<std::optional<std::vector<double>>> numbers_if(std::string_view key) const;
  Result<std::optional<std::vector<int64_t>>> integers_if(std::string_view key) const;

 private:
  GgufFile() = default;

  uint32_t version_ = 0;
  uint64_t data_offset_ = 0;
  std::vector<std::string_view> keys_;
  std::unordered_map<std::string_view, GgufValue> values_;
  std::vector<GgufTensor> tensors_;
  std::unordered_map<std::string_view, size_t> tensor_rows_;
};

}  // namespace holdfast::codec
