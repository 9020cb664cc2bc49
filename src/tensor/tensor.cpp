#include "tensor/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>

#include "tensor/blocks.h"

namespace holdfast::tensor {
namespace {

template <class Stored, class Out, class Widen>
std::vector<Out> widen(const TensorView& view, Widen change) {
  std::vector<Out> out(view.bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, view.bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = change(stored);
  }
  return out;
}

float from_bf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <class Stored>
std::vector<int64_t> whole(const TensorView& view) {
  return widen<Stored, int64_t>(view, [](Stored x) { return static_cast<int64_t>(x); });
}

}  // namespace

uint64_t TensorView::elements() const { return bytes.size() * 8 / codec::dtype_bits(dtype); }

std::string shape_text(const std::vector<uint64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<std::vector<float>> to_floats(const TensorView& view) {
  using enum Dtype;
  switch (view.dtype) {
    case f32:
      return widen<float, float>(view, [](float x) { return x; });
    case f16:
      return widen<uint16_t, float>(view, from_half);
    case bf16:
      return widen<uint16_t, float>(view, from_bf16);
    case f64:
      return widen<double, float>(view, [](double x) { return static_cast<float>(x); });
    case boolean:
    case f4:
    case f6_e2m3:
    case f6_e3m2:
    case u8:
    case i8:
    case f8_e5m2:
    case f8_e4m3:
    case f8_e8m0:
    case i16:
    case u16:
    case i32:
    case u32:
    case c64:
    case i64:
    case u64:
      return fail(Reason::model_unsupported,
                  fmt::format("numbers of type {} cannot be used as weights", codec::dtype_name(view.dtype)));
  }
  std::abort();
}

Result<std::vector<int64_t>> to_integers(const TensorView& view) {
  using enum Dtype;
  switch (view.dtype) {
    case i64:
    case u64:
      return whole<int64_t>(view);
    case i32:
      return whole<int32_t>(view);
    case u32:
      return whole<uint32_t>(view);
    case i16:
      return whole<int16_t>(view);
    case u16:
      return whole<uint16_t>(view);
    case i8:
      return whole<int8_t>(view);
    case u8:
    case boolean:
      return whole<uint8_t>(view);
    case f4:
    case f6_e2m3:
    case f6_e3m2:
    case f8_e5m2:
    case f8_e4m3:
    case f8_e8m0:
    case f16:
    case bf16:
    case f32:
    case c64:
    case f64:
      return fail(Reason::bad_request,
                  fmt::format("whole numbers are expected, not {}", codec::dtype_name(view.dtype)));
  }
  std::abort();
}

}  // namespace holdfast::tensor
