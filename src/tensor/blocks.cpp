#include "tensor/blocks.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/check.h"

namespace holdfast::tensor {
namespace {

using codec::GgmlType;

// Layouts are those of ggml-common.h; a "super block" of the K types has 256 numbers.
constexpr size_t super = 256;

uint8_t u8(const std::byte* p, size_t at) { return static_cast<uint8_t>(p[at]); }
float half_at(const std::byte* p, size_t at) {
  uint16_t bits;
  std::memcpy(&bits, p + at, 2);
  return from_half(bits);
}

// Where a block's results go.
struct Out {
  int8_t* codes;
  float* scales;
  float* leasts;
  int8_t* scale_parts;
  int8_t* least_parts;
  uint16_t* super_scale;
  uint16_t* super_least;

  // Of a block whose numbers are parts of one scale and one least.
  void put_supers(const std::byte* p, size_t scale_at, size_t least_at) const {
    std::memcpy(super_scale, p + scale_at, 2);
    std::memcpy(super_least, p + least_at, 2);
    *super_least ^= 0x8000U;  // Leasts are taken off.
  }
  void put_parts(size_t group, int scale, int least) const {
    scale_parts[group] = static_cast<int8_t>(scale);
    least_parts[group] = static_cast<int8_t>(least);
  }
};

// 32 codes of four bits: the low halves are the first sixteen.
void nibbles(const std::byte* p, int8_t* codes) {
  for (size_t i = 0; i < 16; ++i) {
    codes[i] = static_cast<int8_t>(u8(p, i) & 15U);
    codes[i + 16] = static_cast<int8_t>(u8(p, i) >> 4U);
  }
}

// Adds the fifth bits, of 32 codes.
void fifth_bits(const std::byte* p, int8_t* codes, int shift) {
  uint32_t bits;
  std::memcpy(&bits, p, 4);
  for (size_t i = 0; i < 32; ++i) codes[i] = static_cast<int8_t>((codes[i] | (bits >> i & 1U) << 4U) + shift);
}

void q4_0(const std::byte* p, Out out) {
  nibbles(p + 2, out.codes);
  *out.scales = half_at(p, 0);
  *out.leasts = -8 * *out.scales;
}
void q4_1(const std::byte* p, Out out) {
  nibbles(p + 4, out.codes);
  *out.scales = half_at(p, 0);
  *out.leasts = half_at(p, 2);
}
void q5_0(const std::byte* p, Out out) {
  nibbles(p + 6, out.codes);
  fifth_bits(p + 2, out.codes, -16);
  *out.scales = half_at(p, 0);
}
void q5_1(const std::byte* p, Out out) {
  nibbles(p + 8, out.codes);
  fifth_bits(p + 4, out.codes, 0);
  *out.scales = half_at(p, 0);
  *out.leasts = half_at(p, 2);
}
void q8_0(const std::byte* p, Out out) {
  std::memcpy(out.codes, p + 2, 32);
  *out.scales = half_at(p, 0);
}

// The six-bit scale and least of part j of eight, packed in twelve bytes (Q4_K and Q5_K).
std::pair<int, int> six_bits(const std::byte* p, size_t j) {
  if (j < 4) return {u8(p, j) & 63, u8(p, j + 4) & 63};
  return {(u8(p, j + 4) & 15) | (u8(p, j - 4) >> 6) << 4, (u8(p, j + 4) >> 4) | (u8(p, j) >> 6) << 4};
}

void q2_k(const std::byte* p, Out out) {  // scales[16], codes[64], d, dmin
  const float scale = half_at(p, 80), least = half_at(p, 82);
  out.put_supers(p, 80, 82);
  for (size_t i = 0; i < super; ++i)
    out.codes[i] = static_cast<int8_t>(u8(p, 16 + i / 128 * 32 + i % 32) >> (i % 128 / 32 * 2) & 3);
  for (size_t j = 0; j < 16; ++j) {
    out.scales[j] = scale * static_cast<float>(u8(p, j) & 15);
    out.leasts[j] = -least * static_cast<float>(u8(p, j) >> 4);
    out.put_parts(j, u8(p, j) & 15, u8(p, j) >> 4);
  }
}

void q3_k(const std::byte* p, Out out) {  // high bits[32], low bits[64], scales[12], d
  const float scale = half_at(p, 108);
  out.put_supers(p, 108, 108);
  const std::byte* packed = p + 96;
  for (size_t j = 0; j < 16; ++j) {
    const int low = j < 8 ? u8(packed, j) & 15 : u8(packed, j - 8) >> 4;
    const int high = u8(packed, 8 + j % 4) >> (j / 4 * 2) & 3;
    out.scales[j] = scale * static_cast<float>((low | high << 4) - 32);
    out.leasts[j] = -4 * out.scales[j];
    out.put_parts(j, (low | high << 4) - 32, 0);
  }
  for (size_t i = 0; i < super; ++i) {
    const int low = u8(p, 32 + i / 128 * 32 + i % 32) >> (i % 128 / 32 * 2) & 3;
    const int high = u8(p, i % 32) >> (i / 32) & 1;
    out.codes[i] = static_cast<int8_t>(low | high << 2);
  }
}

void q4_k(const std::byte* p, Out out) {  // d, dmin, scales[12], codes[128]
  const float scale = half_at(p, 0), least = half_at(p, 2);
  out.put_supers(p, 0, 2);
  for (size_t j = 0; j < 8; ++j) {
    const auto [a, b] = six_bits(p + 4, j);
    out.put_parts(j, a, b);
    out.scales[j] = scale * static_cast<float>(a);
    out.leasts[j] = -least * static_cast<float>(b);
    for (size_t i = 0; i < 32; ++i)
      out.codes[32 * j + i] = static_cast<int8_t>(u8(p, 16 + j / 2 * 32 + i) >> (j % 2 * 4) & 15);
  }
}

void q5_k(const std::byte* p, Out out) {  // d, dmin, scales[12], high bits[32], codes[128]
  const float scale = half_at(p, 0), least = half_at(p, 2);
  out.put_supers(p, 0, 2);
  for (size_t j = 0; j < 8; ++j) {
    const auto [a, b] = six_bits(p + 4, j);
    out.put_parts(j, a, b);
    out.scales[j] = scale * static_cast<float>(a);
    out.leasts[j] = -least * static_cast<float>(b);
    for (size_t i = 0; i < 32; ++i)
      out.codes[32 * j + i] = static_cast<int8_t>((u8(p, 48 + j / 2 * 32 + i) >> (j % 2 * 4) & 15) |
                                                  (u8(p, 16 + i) >> j & 1) << 4);
  }
}

void q6_k(const std::byte* p, Out out) {  // low bits[128], high bits[64], scales[16], d
  const float scale = half_at(p, 208);
  out.put_supers(p, 208, 208);
  for (size_t j = 0; j < 16; ++j) {
    out.scales[j] = scale * static_cast<float>(static_cast<int8_t>(u8(p, 192 + j)));
    out.put_parts(j, static_cast<int8_t>(u8(p, 192 + j)), 0);
  }
  for (size_t i = 0; i < super; ++i) {
    const size_t half = i / 128, part = i % 128 / 32, at = i % 32;
    const int low = u8(p, half * 64 + part % 2 * 32 + at) >> (part / 2 * 4) & 15;
    const int high = u8(p, 128 + half * 32 + at) >> (part * 2) & 3;
    out.codes[i] = static_cast<int8_t>((low | high << 4) - 32);
  }
}

struct TypeRow {
  GgmlType type;
  BlockFormat format;
  ByteFormat bytes;
  void (*read)(const std::byte*, Out);
};

constexpr auto halves = ByteFormat::Scales::half, parts = ByteFormat::Scales::parts;
constexpr TypeRow types[] = {
    {GgmlType::q4_0, {4, 32, 2, true}, {4, 32, 8, false, halves}, q4_0},
    {GgmlType::q4_1, {4, 32, 2, true}, {4, 32, 0, true, halves}, q4_1},
    {GgmlType::q5_0, {8, 32, 2, false}, {8, 32, 0, false, halves}, q5_0},
    {GgmlType::q5_1, {8, 32, 2, true}, {8, 32, 0, true, halves}, q5_1},
    {GgmlType::q8_0, {8, 32, 2, false}, {8, 32, 0, false, halves}, q8_0},
    {GgmlType::q2_k, {4, 16, 4, true}, {4, 16, 0, true, parts}, q2_k},
    {GgmlType::q3_k, {4, 16, 4, true}, {4, 16, 4, false, parts}, q3_k},
    {GgmlType::q4_k, {4, 32, 4, true}, {4, 32, 0, true, parts}, q4_k},
    {GgmlType::q5_k, {8, 32, 4, true}, {8, 32, 0, true, parts}, q5_k},
    {GgmlType::q6_k, {8, 16, 4, false}, {8, 16, 0, false, parts}, q6_k},
};

const TypeRow* find(GgmlType type) {
  for (const TypeRow& row : types)
    if (row.type == type) return &row;
  return nullptr;
}

}  // namespace

float from_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16, exponent = bits >> 10 & 31U,
                 fraction = bits & 0x3FFU;
  if (exponent == 0) {
    const float small = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -small : small;
  }
  return std::bit_cast<float>(sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13);
}

uint16_t half_that_equals(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000U);
  const int exponent = static_cast<int>(bits >> 23 & 255U) - 112;
  const uint32_t fraction = bits & 0x7FFFFFU;
  if (exponent >= 31) return static_cast<uint16_t>(sign | 0x7C00U | (fraction >> 13));
  if (exponent > 0)
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(exponent) << 10 | fraction >> 13);
  return static_cast<uint16_t>(sign |
                               static_cast<uint32_t>(std::bit_cast<float>(bits & 0x7FFFFFFFU) * 0x1p24F));
}

std::optional<BlockFormat> block_format(GgmlType type) {
  const TypeRow* row = find(type);
  return row == nullptr ? std::nullopt : std::optional(row->format);
}

std::optional<ByteFormat> byte_format(GgmlType type) {
  const TypeRow* row = find(type);
  return row == nullptr ? std::nullopt : std::optional(row->bytes);
}

void read_block_row(GgmlType type, ByteView row, size_t inputs, BlockRow& out) {
  const TypeRow* known = find(type);
  CHECK(known != nullptr);
  const codec::GgmlTypeRow& sizes = codec::ggml_type_row(type);
  const size_t blocks = inputs / sizes.block_elements;
  CHECK(inputs % sizes.block_elements == 0 && row.size() == blocks * sizes.block_bytes);
  out.codes.resize(inputs);
  out.scales.assign(inputs / known->format.group, 0.0F);
  out.leasts.assign(inputs / known->format.group, 0.0F);
  out.scale_parts.resize(inputs / known->format.group);
  out.least_parts.resize(inputs / known->format.group);
  out.super_scales.resize(blocks);
  out.super_leasts.resize(blocks);
  for (size_t i = 0; i < blocks; ++i) {
    const size_t at = i * sizes.block_elements, group = at / known->format.group;
    known->read(row.data() + i * sizes.block_bytes,
                {out.codes.data() + at, out.scales.data() + group, out.leasts.data() + group,
                 out.scale_parts.data() + group, out.least_parts.data() + group, out.super_scales.data() + i,
                 out.super_leasts.data() + i});
  }
}

Result<std::vector<float>> widen_blocks(GgmlType type, ByteView bytes, size_t elements) {
  std::vector<float> out(elements);
  const auto each = [&](size_t width, auto value) {
    CHECK(bytes.size() == elements * width);
    for (size_t i = 0; i < elements; ++i) out[i] = value(bytes.data() + i * width);
    return out;
  };
  if (type == GgmlType::f32)
    return each(4, [](const std::byte* p) {
      float x;
      std::memcpy(&x, p, 4);
      return x;
    });
  if (type == GgmlType::f16) return each(2, [](const std::byte* p) { return half_at(p, 0); });
  if (type == GgmlType::bf16)
    return each(2, [](const std::byte* p) {
      uint16_t bits;
      std::memcpy(&bits, p, 2);
      return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
    });
  const TypeRow* known = find(type);
  if (known == nullptr)
    return fail(Reason::model_unsupported,
                fmt::format("tensors of type {} are not read", codec::ggml_type_row(type).name));
  BlockRow row;
  read_block_row(type, bytes, elements, row);
  for (size_t i = 0; i < elements; ++i)
    out[i] = row.scales[i / known->format.group] * static_cast<float>(row.codes[i]) +
             row.leasts[i / known->format.group];
  return out;
}

}  // namespace holdfast::tensor
