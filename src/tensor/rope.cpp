#include "tensor/rope.h"

#include <cmath>
#include <cstring>

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

namespace {

// Halves that do not meet, four pairs at a time: every machine has such registers, and a compiler does not
// find them where pairs might be neighbours.
using Four = float __attribute__((vector_size(16)));
constexpr size_t four = 4;

Four load(const float* from) {
  Four out;
  std::memcpy(&out, from, sizeof out);
  return out;
}

void turn_halves(float* lower, float* upper, const float* cosines, const float* sines, size_t count) {
  size_t i = 0;
  for (; i + four <= count; i += four) {
    const Four a = load(lower + i), b = load(upper + i), cosine = load(cosines + i), sine = load(sines + i);
    const Four left = a * cosine - b * sine, right = b * cosine + a * sine;
    std::memcpy(lower + i, &left, sizeof left);
    std::memcpy(upper + i, &right, sizeof right);
  }
  for (; i < count; ++i) {
    const float a = lower[i], b = upper[i];
    lower[i] = a * cosines[i] - b * sines[i];
    upper[i] = b * cosines[i] + a * sines[i];
  }
}

void turn_neighbours(float* x, const float* cosines, const float* sines, size_t count) {
  for (size_t i = 0; i < count; ++i, x += 2) {
    const float a = x[0], b = x[1];
    x[0] = a * cosines[i] - b * sines[i];
    x[1] = b * cosines[i] + a * sines[i];
  }
}

}  // namespace

void rotate(const RopeTable& table, const RopeJob& job) {
  for (size_t row = 0; row < job.positions.size(); ++row) {
    const size_t at = static_cast<size_t>(job.positions[row]) * table.pairs;
    const float* cosines = table.cosines.data() + at;
    const float* sines = table.sines.data() + at;
    for (size_t head = 0; head < job.heads; ++head) {
      float* x = job.data + row * job.stride + head * job.head_width;
      if (job.pairs == RopePairs::halves)
        turn_halves(x, x + table.pairs, cosines, sines, table.pairs);
      else
        turn_neighbours(x, cosines, sines, table.pairs);
    }
  }
}

}  // namespace holdfast::tensor
