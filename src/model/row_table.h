#pragma once

#include <memory>

#include "model/weight_reader.h"

namespace holdfast::model {

// A table that rows are taken from, of any floating type, read in place from the weights, which it borrows.
class RowTable {
 public:
  RowTable() = default;
  // NAME [rows, width].
  static Result<RowTable> load(const WeightReader& reader, std::string_view name, size_t rows, size_t width);

  // Numbers of its own, [rows, width].
  static RowTable of(std::vector<float> numbers, size_t width);

  bool there() const { return view_ != nullptr || block_ != nullptr || own_ != nullptr; }
  size_t rows() const { return rows_; }
  size_t width() const { return width_; }
  void add_row(size_t row, float* into) const;

 private:
  const tensor::TensorView* view_ = nullptr;
  const BlockView* block_ = nullptr;               // Instead of view_.
  std::shared_ptr<const std::vector<float>> own_;  // Instead of both.
  size_t rows_ = 0, width_ = 0;
};

}  // namespace holdfast::model
