#include "model/row_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "tensor/blocks.h"
#include "tensor/kernels.h"

namespace holdfast::model {
namespace {

// Whether no number's exponent is all ones; `Bits` as wide as a number.
template <typename Bits>
bool below(ByteView bytes, Bits infinity) {
  Bits largest = 0;
  const Bits magnitude = std::numeric_limits<Bits>::max() >> 1;
  for (size_t at = 0; at + sizeof(Bits) <= bytes.size(); at += sizeof(Bits)) {
    Bits one = 0;
    std::memcpy(&one, bytes.data() + at, sizeof(Bits));
    largest = std::max<Bits>(largest, one & magnitude);
  }
  return largest < infinity;
}

// Of a table that stays where it is: looked at once, while it is loaded, as one bad row would spoil the
// answers of whoever uses its token.
bool all_finite(const tensor::TensorView& view) {
  if (view.dtype == tensor::Dtype::f32) return below<uint32_t>(view.bytes, 0x7F800000U);
  if (view.dtype == tensor::Dtype::bf16) return below<uint16_t>(view.bytes, 0x7F80U);
  if (view.dtype == tensor::Dtype::f16) return below<uint16_t>(view.bytes, 0x7C00U);
  if (view.dtype == tensor::Dtype::f64) return below<uint64_t>(view.bytes, 0x7FF0000000000000U);
  return true;
}

}  // namespace

Result<RowTable> RowTable::load(const WeightReader& reader, std::string_view name, size_t rows,
                                size_t width) {
  RowTable out;
  if (reader.block(name) != nullptr) {
    TRY(out.block_, reader.block(name, {rows, width}));
    out.rows_ = rows;
    out.width_ = width;
    TRY([[maybe_unused]] auto first,
        tensor::widen_blocks(out.block_->type, out.block_->bytes.first(out.block_->bytes.size() / rows),
                             width));
    return out;
  }
  TRY(out.view_, reader.view(name, {rows, width}));
  out.rows_ = rows;
  out.width_ = width;
  // Widening one row finds out now whether the type can be read.
  TRY([[maybe_unused]] auto row,
      tensor::to_floats({out.view_->dtype, {width}, out.view_->bytes.first(out.view_->bytes.size() / rows)}));
  if (!reader.are_known() && !all_finite(*out.view_))
    return fail(Reason::bad_request, fmt::format("'{}' holds a number that is not finite", name));
  return out;
}

RowTable RowTable::of(std::vector<float> numbers, size_t width) {
  CHECK(width > 0 && numbers.size() % width == 0);
  RowTable out;
  out.rows_ = numbers.size() / width;
  out.width_ = width;
  out.own_ = std::make_shared<const std::vector<float>>(std::move(numbers));
  return out;
}

void RowTable::add_row(size_t row, float* into) const {
  if (own_ != nullptr) {
    const float* from = own_->data() + row * width_;
    for (size_t i = 0; i < width_; ++i) into[i] += from[i];
    return;
  }
  if (block_ != nullptr) {
    const size_t size = block_->bytes.size() / rows_;
    const auto floats = tensor::widen_blocks(block_->type, block_->bytes.subspan(row * size, size), width_);
    CHECK(floats.ok());  // The type was checked when the table was loaded.
    for (size_t i = 0; i < width_; ++i) into[i] += floats.value()[i];
    return;
  }
  const size_t row_bytes = view_->bytes.size() / rows_;
  const ByteView bytes = view_->bytes.subspan(row * row_bytes, row_bytes);
  if (view_->dtype == tensor::Dtype::f32) {
    if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0)
      // Sums of two numbers are the same on every instruction set.
      return tensor::kernels_for(tensor::best_isa())
          .add(into, reinterpret_cast<const float*>(bytes.data()), width_);
    for (size_t i = 0; i < width_; ++i) {
      float x;
      std::memcpy(&x, bytes.data() + i * sizeof(float), sizeof(float));
      into[i] += x;
    }
    return;
  }
  const auto floats = tensor::to_floats({view_->dtype, {width_}, bytes});
  CHECK(floats.ok());  // The type was checked when the table was loaded.
  for (size_t i = 0; i < width_; ++i) into[i] += floats.value()[i];
}

}  // namespace holdfast::model
