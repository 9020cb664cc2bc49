#include "tensor/rope.h"

#include <cmath>

namespace holdfast::tensor {

RopeTable make_rope_table(std::span<const float> frequencies, size_t positions, float attention_factor) {
  RopeTable out;
  out.pairs = frequencies.size();
  out.cosines.reserve(positions * out.pairs);
  out.sines.reserve(positions * out.pairs);
  for (size_t position = 0; position < positions; ++position)
    for (float frequency : frequencies) {
      const float angle = static_cast<float>(position) * frequency;  // In f32, as transformers does.
      out.cosines.push_back(std::cos(angle) * attention_factor);
      out.sines.push_back(std::sin(angle) * attention_factor);
    }
  return out;
}

void rotate(const RopeTable& table, const RopeJob& job) {
  const size_t step = job.pairs == RopePairs::halves ? 1 : 2;
  const size_t partner = job.pairs == RopePairs::halves ? table.pairs : 1;
  for (size_t row = 0; row < job.positions.size(); ++row) {
    const size_t at = static_cast<size_t>(job.positions[row]) * table.pairs;
    const float* cosines = table.cosines.data() + at;
    const float* sines = table.sines.data() + at;
    for (size_t head = 0; head < job.heads; ++head) {
      float* x = job.data + row * job.stride + head * job.head_width;
      for (size_t i = 0; i < table.pairs; ++i) {
        const float a = x[i * step], b = x[i * step + partner];
        x[i * step] = a * cosines[i] - b * sines[i];
        x[i * step + partner] = b * cosines[i] + a * sines[i];
      }
    }
  }
}

}  // namespace holdfast::tensor
