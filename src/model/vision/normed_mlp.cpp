#include "model/vision/normed_mlp.h"

#include <algorithm>

namespace holdfast::model {
namespace {

// So many bfloat16 of the widest nets' 4 * 1,024 are a second-level cache.
constexpr size_t block_rows = 128;

}  // namespace

void NormedMlp::add(const tensor::Kernels& kernels, const float* in, size_t rows, float* out,
                    tensor::Threads& threads) const {
  const size_t width = up->inputs(), blocks = (rows + block_rows - 1) / block_rows;
  threads.run(blocks, [&](size_t block) {
    const size_t first = block * block_rows, count = std::min(block_rows, rows - first);
    tensor::ReadyRows input, inner;
    input.ensure(*up, count);
    inner.ensure(*down, count);
    const tensor::RowNorm row_norm = {tensor::RowNorm::Kind::layer, norm.gamma.data(), norm.beta.data(),
                                      epsilon};
    tensor::NormRun ready;
    ready.in = in + first * width;
    ready.in_stride = width;
    ready.rows = count;
    ready.width = width;
    ready.norm = &row_norm;
    ready.reader = up.get();
    ready.next = &input;
    tensor::normalize_rows(kernels, ready);
    tensor::LinearRun widen;
    widen.rows = count;
    widen.ready = &input;
    widen.activation = activation;
    widen.reader = down.get();
    widen.next = &inner;
    up->run(widen, threads);
    tensor::LinearRun narrow;
    narrow.rows = count;
    narrow.ready = &inner;
    narrow.out = out + first * down->width();
    narrow.addend = narrow.out;
    down->run(narrow, threads);
  });
}

}  // namespace holdfast::model
