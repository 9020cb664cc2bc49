#include "model/row_table.h"

#include <cstring>

#include "base/check.h"
#include "tensor/blocks.h"
#include "tensor/kernels.h"

namespace holdfast::model {

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
  return out;
}

void RowTable::add_row(size_t row, float* into) const {
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
