#pragma once

#include "model/weight_reader.h"
#include "tensor/attention.h"

namespace holdfast::model {

// Rows of one picture or of the queries to it, and where they are.
struct PositionedRows {
  const float* data = nullptr;       // [count, E]
  const float* positions = nullptr;  // Added before queries and keys are made, but not to values.
  size_t count = 0;
  const uint8_t* hidden = nullptr;  // 1 for rows that nobody sees; null: none is hidden.
};

// DETR's attention. Immutable.
class PositionedAttention {
 public:
  // NAME.q_proj, k_proj, v_proj and out_proj.
  static Result<PositionedAttention> load(const WeightReader& reader, const std::string& name, size_t width,
                                          size_t heads);
  // x + attention of x to what it sees, [x.count, E].
  tensor::Floats run(const PositionedRows& x, const PositionedRows& seen, tensor::Threads& threads) const;

 private:
  size_t width_ = 0, heads_ = 0;
  tensor::Compute compute_;
  LinearLayer query_, key_, value_, out_;
};

}  // namespace holdfast::model
