// The oracle: each kernel in the fewest clear lines.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

float gelu_of(float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678118654752F)); }

void panel(const PanelJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    for (size_t column = 0; column < job.columns; ++column) {
      float sum = 0;
      for (size_t k = 0; k < job.k; ++k)
        sum = std::fma(job.a[row * job.a_stride + k], job.panel[k * panel_columns + column], sum);
      if (job.epilogue != Epilogue::none) sum += job.bias[column];
      if (job.epilogue == Epilogue::bias_gelu) sum = gelu_of(sum);
      if (job.epilogue == Epilogue::bias_add) sum += job.addend[row * job.addend_stride + column];
      job.c[row * job.c_stride + column] = sum;
    }
  }
}

void layer_norm(const LayerNormJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const float* in = job.in + row * job.width;
    float* out = job.out + row * job.width;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < job.width; ++i) sum += in[i];
    const double mean = sum / static_cast<double>(job.width);
    for (size_t i = 0; i < job.width; ++i) squares += (in[i] - mean) * (in[i] - mean);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(job.width) + job.epsilon);
    for (size_t i = 0; i < job.width; ++i)
      out[i] = static_cast<float>((in[i] - mean) * scale * job.gamma[i] + job.beta[i]);
  }
}

void rms_norm(const LayerNormJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const float* in = job.in + row * job.width;
    float* out = job.out + row * job.width;
    double squares = 0;
    for (size_t i = 0; i < job.width; ++i) squares += static_cast<double>(in[i]) * in[i];
    const double scale = 1 / std::sqrt(squares / static_cast<double>(job.width) + job.epsilon);
    for (size_t i = 0; i < job.width; ++i) out[i] = static_cast<float>(in[i] * scale * job.gamma[i]);
  }
}

void softmax(const SoftmaxJob& job) {
  if (job.width == 0) return;
  for (size_t row = 0; row < job.rows; ++row) {
    float* x = job.data + row * job.stride;
    const float peak = *std::max_element(x, x + job.width);  // Subtracted so that exp cannot overflow.
    double sum = 0;
    for (size_t i = 0; i < job.width; ++i) sum += x[i] = std::exp((x[i] - peak) * job.scale);
    for (size_t i = 0; i < job.width; ++i) x[i] = static_cast<float>(x[i] / sum);
  }
}

void gelu(float* data, size_t count) {
  for (size_t i = 0; i < count; ++i) data[i] = gelu_of(data[i]);
}

void add(float* into, const float* more, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] += more[i];
}

}  // namespace

const Kernels plain_kernels = {Isa::plain, panel, layer_norm, rms_norm, softmax, gelu, add};

}  // namespace holdfast::tensor
