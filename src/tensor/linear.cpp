#include "tensor/linear.h"

#include <algorithm>

#include "base/check.h"
#include "tensor/gemm.h"

namespace holdfast::tensor {
namespace {

// Rows done with one panel before the next; a multiple of every kernel's tile.
constexpr size_t block_rows = 96;
// Panels shared at a time when there are too few rows to share.
constexpr size_t group_panels = 4;

class FloatLinear final : public Linear {
 public:
  FloatLinear(const LinearWeights& weights, Isa isa)
      : packed_(weights.weight, weights.bias, weights.outputs, weights.inputs),
        kernels_(kernels_for(isa)),
        layout_(weights.layout) {}

  size_t inputs() const override { return packed_.inputs(); }
  size_t width() const override {
    return layout_ == OutputLayout::gated ? packed_.outputs() / 2 : packed_.outputs();
  }
  size_t bytes() const override {
    return packed_.panels() * panel_columns * (packed_.inputs() + 1) * sizeof(float);
  }

  void run(const LinearRun& run, Threads& threads) const override {
    const size_t blocks = (run.rows + block_rows - 1) / block_rows;
    if (layout_ == OutputLayout::gated)
      threads.run(blocks, [&](size_t block) { gated_block(run, block); });
    else if (threads.count() == 1 || blocks >= 2 * threads.count())
      threads.run(blocks, [&](size_t block) { plain_block(run, block, 0, packed_.panels()); });
    else {
      const size_t groups = (packed_.panels() + group_panels - 1) / group_panels;
      threads.run(blocks * groups, [&](size_t index) {
        const size_t first = index % groups * group_panels;
        plain_block(run, index / groups, first, std::min(first + group_panels, packed_.panels()));
      });
    }
  }

 private:
  void product(const LinearRun& run, size_t row, size_t rows, size_t index, float* out, size_t stride) const {
    PanelJob panel;
    panel.a_stride = run.in_stride != 0 ? run.in_stride : inputs();
    panel.a = run.in + row * panel.a_stride;
    panel.panel = packed_.panel(index);
    panel.bias = packed_.bias(index);
    panel.c = out;
    panel.c_stride = stride;
    panel.rows = rows;
    panel.columns = std::min(panel_columns, packed_.outputs() - index * panel_columns);
    panel.k = inputs();
    panel.epilogue = run.activation == Activation::gelu && layout_ == OutputLayout::plain
                         ? Epilogue::bias_gelu
                         : Epilogue::bias;
    if (run.addend != nullptr && run.activation == Activation::none && layout_ == OutputLayout::plain) {
      panel.epilogue = Epilogue::bias_add;
      panel.addend_stride = stride;
      panel.addend = run.addend + (out - run.out);
    }
    kernels_.panel(panel);
  }

  void plain_block(const LinearRun& run, size_t block, size_t first, size_t last) const {
    const size_t row = block * block_rows, rows = std::min(block_rows, run.rows - row);
    const size_t stride = run.out_stride != 0 ? run.out_stride : width();
    for (size_t index = first; index < last; ++index) {
      float* out = run.out + row * stride + index * panel_columns;
      CHECK(run.addend != run.out || run.activation == Activation::none);
      product(run, row, rows, index, out, stride);
      if (run.activation == Activation::none || run.activation == Activation::gelu) {
        if (run.activation == Activation::gelu && run.addend != nullptr) add(run, row, rows, index, stride);
        continue;
      }
      const size_t columns = std::min(panel_columns, packed_.outputs() - index * panel_columns);
      for (size_t r = 0; r < rows; ++r) activate(kernels_, run.activation, out + r * stride, columns);
      if (run.addend != nullptr) add(run, row, rows, index, stride);
    }
  }

  void add(const LinearRun& run, size_t row, size_t rows, size_t index, size_t stride) const {
    const size_t columns = std::min(panel_columns, packed_.outputs() - index * panel_columns);
    for (size_t r = row; r < row + rows; ++r)
      kernels_.add(run.out + r * stride + index * panel_columns,
                   run.addend + r * stride + index * panel_columns, columns);
  }

  void gated_block(const LinearRun& run, size_t block) const {
    const size_t row = block * block_rows, rows = std::min(block_rows, run.rows - row), half = width();
    const size_t stride = run.out_stride != 0 ? run.out_stride : half;
    Floats both(rows * packed_.outputs());
    for (size_t index = 0; index < packed_.panels(); ++index)
      product(run, row, rows, index, both.data() + index * panel_columns, packed_.outputs());
    for (size_t r = 0; r < rows; ++r) {
      float* gate = both.data() + r * packed_.outputs();
      activate(kernels_, run.activation, gate, half);
      float* out = run.out + (row + r) * stride;
      const float* addend = run.addend == nullptr ? nullptr : run.addend + (row + r) * stride;
      for (size_t i = 0; i < half; ++i)
        out[i] = gate[i] * gate[half + i] + (addend == nullptr ? 0.0F : addend[i]);
    }
  }

  PackedLinear packed_;
  const Kernels& kernels_;
  OutputLayout layout_;
};

}  // namespace

std::unique_ptr<const Linear> make_linear(const LinearWeights& weights, Compute compute) {
  CHECK(weights.layout == OutputLayout::plain || weights.outputs % 2 == 0);
  return std::make_unique<FloatLinear>(weights, compute.isa);
}

}  // namespace holdfast::tensor
