#include "tensor/quantize_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "tensor/blocks.h"

namespace holdfast::tensor {
namespace {

using codec::GgmlType;

constexpr size_t group = 32, super = 256;

void put_half(std::byte* at, float value) {
  const uint16_t half = to_half(value);
  std::memcpy(at, &half, 2);
}

// Adding 1.5 * 2^23 rounds to a whole number, halves to even, as ggml's nearest_int does.
int nearest(float x) { return (std::bit_cast<int32_t>(x + 12582912.0F) & 0x007FFFFF) - 0x00400000; }

void q8_0(const float* x, std::byte* out) {
  float most = 0;
  for (size_t i = 0; i < group; ++i) most = std::max(most, std::abs(x[i]));
  const float scale = most / 127.0F, inverse = scale != 0 ? 1.0F / scale : 0.0F;
  put_half(out, scale);
  for (size_t i = 0; i < group; ++i)
    out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(std::round(x[i] * inverse)));
}

void q4_0(const float* x, std::byte* out) {
  float most = 0, signed_most = 0;
  for (size_t i = 0; i < group; ++i)
    if (std::abs(x[i]) > most) {
      most = std::abs(x[i]);
      signed_most = x[i];
    }
  const float scale = signed_most / -8.0F, inverse = scale != 0 ? 1.0F / scale : 0.0F;
  put_half(out, scale);
  const auto code = [&](size_t i) { return std::min(15, static_cast<int>(x[i] * inverse + 8.5F)); };
  for (size_t i = 0; i < 16; ++i) out[2 + i] = static_cast<std::byte>(code(i) | code(i + 16) << 4);
}

// A scale and a least of one group by weighted least squares over nearby scales (make_qkx2_quants).
struct Part {
  float scale = 0, least = 0;  // x is about scale * code - least.
};
Part fit(const float* x) {
  constexpr int codes_most = 15;
  std::array<float, group> weight;
  float squares = 0;
  for (size_t i = 0; i < group; ++i) squares += x[i] * x[i];
  const float mean = std::sqrt(squares / static_cast<float>(group));
  for (size_t i = 0; i < group; ++i) weight[i] = mean + std::abs(x[i]);
  float least = std::min(0.0F, *std::min_element(x, x + group));
  const float most = *std::max_element(x, x + group);
  float weights = 0, weighted = 0;
  for (size_t i = 0; i < group; ++i) {
    weights += weight[i];
    weighted += weight[i] * x[i];
  }
  if (most == least) return {0, -least};
  const float range = most - least;
  const auto error_of = [&](float inverse, float scale, float shift, float from) {
    float error = 0;
    for (size_t i = 0; i < group; ++i) {
      const int code = std::clamp(nearest(inverse * (x[i] - from)), 0, codes_most);
      const float miss = scale * static_cast<float>(code) + shift - x[i];
      error += weight[i] * miss * miss;
    }
    return error;
  };
  const float from = least;
  Part out{range / codes_most, -least};
  float best = error_of(codes_most / range, out.scale, least, from);
  for (int step = 0; step <= 20; ++step) {
    const float inverse = (-1.0F + 0.1F * static_cast<float>(step) + codes_most) / range;
    float sum = 0, sum_squares = 0, product = 0;
    for (size_t i = 0; i < group; ++i) {
      const auto code = static_cast<float>(std::clamp(nearest(inverse * (x[i] - from)), 0, codes_most));
      sum += weight[i] * code;
      sum_squares += weight[i] * code * code;
      product += weight[i] * code * x[i];
    }
    const float determinant = weights * sum_squares - sum * sum;
    if (determinant <= 0) continue;
    float scale = (weights * product - weighted * sum) / determinant;
    float shift = (sum_squares * weighted - sum * product) / determinant;
    if (shift > 0) {
      shift = 0;
      scale = product / sum_squares;
    }
    const float error = error_of(inverse, scale, shift, from);
    if (error >= best) continue;
    best = error;
    out = {scale, -shift};
  }
  return out;
}

void q4_k(const float* x, std::byte* out) {  // d, dmin, scales[12], codes[128]
  std::array<Part, 8> parts;
  float scale_most = 0, least_most = 0;
  for (size_t j = 0; j < 8; ++j) {
    parts[j] = fit(x + j * group);
    scale_most = std::max(scale_most, parts[j].scale);
    least_most = std::max(least_most, parts[j].least);
  }
  const float inverse_scale = scale_most > 0 ? 63.0F / scale_most : 0.0F;
  const float inverse_least = least_most > 0 ? 63.0F / least_most : 0.0F;
  std::memset(out, 0, 144);
  put_half(out, scale_most / 63.0F);
  put_half(out + 2, least_most / 63.0F);
  const float scale = from_half(to_half(scale_most / 63.0F)), least = from_half(to_half(least_most / 63.0F));
  auto* packed = reinterpret_cast<uint8_t*>(out + 4);
  for (size_t j = 0; j < 8; ++j) {
    const int a = std::clamp(nearest(inverse_scale * parts[j].scale), 0, 63);
    const int b = std::clamp(nearest(inverse_least * parts[j].least), 0, 63);
    if (j < 4) {
      packed[j] = static_cast<uint8_t>(packed[j] | a);
      packed[j + 4] = static_cast<uint8_t>(packed[j + 4] | b);
    } else {
      packed[j + 4] = static_cast<uint8_t>((a & 15) | (b & 15) << 4);
      packed[j - 4] = static_cast<uint8_t>(packed[j - 4] | (a >> 4) << 6);
      packed[j] = static_cast<uint8_t>(packed[j] | (b >> 4) << 6);
    }
    const float own = scale * static_cast<float>(a), shift = least * static_cast<float>(b);
    for (size_t i = 0; i < group; ++i) {
      const int code = own == 0 ? 0 : std::clamp(nearest((x[j * group + i] + shift) / own), 0, 15);
      out[16 + j / 2 * 32 + i] |= static_cast<std::byte>(code << (j % 2 * 4));
    }
  }
}

Bytes each_block(std::span<const float> numbers, size_t elements, size_t bytes,
                 void (*block)(const float*, std::byte*)) {
  Bytes out(numbers.size() / elements * bytes);
  for (size_t i = 0; i < numbers.size() / elements; ++i)
    block(numbers.data() + i * elements, out.data() + i * bytes);
  return out;
}

}  // namespace

uint16_t to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000U,
                 size = bits & 0x7FFFFFFFU;
  if (size > 0x7F800000U) return static_cast<uint16_t>(sign | 0x7E00U);
  if (size >= 0x477FF000U) return static_cast<uint16_t>(sign | 0x7C00U);  // Rounds past the largest.
  if (size < 0x38800000U) {
    // Adding a half aligns the last bit that is kept with a float's own, so that the sum rounds there.
    const float moved = std::bit_cast<float>(size) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(moved) - 0x3F000000U));
  }
  return static_cast<uint16_t>(sign | (size + 0xC8000FFFU + (size >> 13 & 1U)) >> 13);
}

Result<Bytes> quantize_blocks(GgmlType type, std::span<const float> numbers) {
  const codec::GgmlTypeRow& sizes = codec::ggml_type_row(type);
  if (numbers.size() % sizes.block_elements != 0)
    return fail(Reason::bad_request,
                fmt::format("{} numbers are no whole blocks of {}", numbers.size(), sizes.name));
  for (const float x : numbers)
    if (!std::isfinite(x)) return fail(Reason::bad_request, "a number is not finite");
  if (type == GgmlType::f32) {
    const auto bytes = std::as_bytes(numbers);
    return Bytes(bytes.begin(), bytes.end());
  }
  if (type == GgmlType::f16)
    return each_block(numbers, 1, 2, [](const float* x, std::byte* out) { put_half(out, *x); });
  if (type == GgmlType::q8_0) return each_block(numbers, group, sizes.block_bytes, q8_0);
  if (type == GgmlType::q4_0) return each_block(numbers, group, sizes.block_bytes, q4_0);
  if (type == GgmlType::q4_k) return each_block(numbers, super, sizes.block_bytes, q4_k);
  return fail(Reason::model_unsupported, fmt::format("{} is not written", sizes.name));
}

}  // namespace holdfast::tensor
