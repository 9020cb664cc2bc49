#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::tensor {

// Cosines and sines of rotary positions, [positions, pairs] each, made by the model from its kind of rope.
struct RopeTable {
  size_t pairs = 0;  // Half the rotary width.
  std::vector<float> cosines, sines;
};

// Positions p: angle p * frequencies[i]; both multiplied by `attention_factor` (YaRN, longrope).
RopeTable make_rope_table(std::span<const float> frequencies, size_t positions, float attention_factor = 1);

enum class RopePairs : uint8_t {
  halves,      // i with i + pairs: llama, gpt_neox
  neighbours,  // 2i with 2i + 1: gptj, cohere
};

// Turns the first 2 * pairs numbers of each head in place: (a, b) -> (a cos - b sin, b cos + a sin).
struct RopeJob {
  float* data = nullptr;  // Row r, head h begins at data + r * stride + h * head_width.
  size_t heads = 0, head_width = 0, stride = 0;
  std::span<const int64_t> positions;  // One a row; below the table's.
  RopePairs pairs = RopePairs::halves;
};
void rotate(const RopeTable& table, const RopeJob& job);

}  // namespace holdfast::tensor
