#include "tensor/gemm.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::tensor {
namespace {

// Rows done with one panel before the next: their part of A stays in the second-level cache (96 rows of 1,536
// floats are 590 KB). A multiple of every kernel's tile.
constexpr size_t block_rows = 96;

void run_panel(const Kernels& kernels, const PackedLinear& layer, const LinearJob& job, size_t index,
               size_t row, size_t rows) {
  const size_t column = index * panel_columns, outputs = layer.outputs();
  PanelJob panel;
  panel.a = job.in + row * layer.inputs();
  panel.panel = layer.panel(index);
  panel.bias = layer.bias(index);
  if (job.addend != nullptr) panel.addend = job.addend + row * outputs + column;
  panel.c = job.out + row * outputs + column;
  panel.rows = rows;
  panel.columns = std::min(panel_columns, outputs - column);
  panel.k = layer.inputs();
  panel.a_stride = layer.inputs();
  panel.addend_stride = panel.c_stride = outputs;
  panel.epilogue = job.epilogue;
  kernels.panel(panel);
}

}  // namespace

PackedLinear::PackedLinear(std::span<const float> weight, std::span<const float> bias, size_t outputs,
                           size_t inputs)
    : outputs_(outputs), inputs_(inputs) {
  CHECK(weight.size() == outputs * inputs);
  CHECK(bias.empty() || bias.size() == outputs);
  weight_ = Floats(panels() * panel_columns * inputs);
  bias_ = Floats(panels() * panel_columns);
  for (size_t column = 0; column < panels() * panel_columns; ++column) {
    const bool there = column < outputs;
    bias_.data()[column] = there && !bias.empty() ? bias[column] : 0.0F;
    float* into = weight_.data() + column / panel_columns * panel_columns * inputs + column % panel_columns;
    for (size_t k = 0; k < inputs; ++k) into[k * panel_columns] = there ? weight[column * inputs + k] : 0.0F;
  }
}

void linear(const Kernels& kernels, Threads& threads, const PackedLinear& layer, const LinearJob& job) {
  CHECK(job.epilogue != Epilogue::bias_add || job.addend != nullptr);
  const size_t blocks = (job.rows + block_rows - 1) / block_rows;
  const auto rows_of = [&](size_t block) { return std::min(block_rows, job.rows - block * block_rows); };
  if (threads.count() == 1 || blocks >= 2 * threads.count()) {
    threads.run(blocks, [&](size_t block) {
      for (size_t i = 0; i < layer.panels(); ++i)
        run_panel(kernels, layer, job, i, block * block_rows, rows_of(block));
    });
    return;
  }
  // Few rows: share the panels instead, a few at a time.
  constexpr size_t group = 4;
  const size_t groups = (layer.panels() + group - 1) / group;
  threads.run(blocks * groups, [&](size_t index) {
    const size_t block = index / groups, from = index % groups * group;
    for (size_t i = from; i < std::min(from + group, layer.panels()); ++i)
      run_panel(kernels, layer, job, i, block * block_rows, rows_of(block));
  });
}

}  // namespace holdfast::tensor
