#pragma once

#include <cstddef>

#include "tensor/buffer.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// One head of one sequence; every position sees every other. Rows of query, key and value are `stride` floats
// apart, rows of out `out_stride`.
struct AttentionJob {
  const float* query = nullptr;  // [T, D]
  const float* key = nullptr;    // [T, D]
  const float* value = nullptr;  // [T, D]
  float* out = nullptr;          // [T, D]
  size_t tokens = 0, head_width = 0;
  size_t stride = 0, out_stride = 0;
};

// Buffers of one thread; grow to the largest job seen.
struct AttentionScratch {
  tensor::Floats keys, values, scores;
};

// out = softmax(query key^T / sqrt(D)) value. Each score is one sum over D and each output one sum over the
// keys from position 0, so that a sequence's result does not depend on what else is in the batch.
void attend(const tensor::Kernels& kernels, const AttentionJob& job, AttentionScratch& scratch);

}  // namespace holdfast::model
