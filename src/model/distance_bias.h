#pragma once

#include <span>

#include "model/encoder_plan.h"
#include "tensor/attention.h"

namespace holdfast::model {

// Which way distances count: encoders look both ways, decoders back only.
enum class Sides : uint8_t { both, past };

// The bucket of T5's relative positions for key - query = distance.
size_t distance_bucket(int64_t distance, size_t buckets, size_t distance_max, Sides sides = Sides::both);

// T5's and MPNet's bias: one number for each head and bucket of distances. Immutable.
class DistanceBiasTable {
 public:
  static Result<DistanceBiasTable> load(const DistanceBias& plan, size_t heads, const WeightReader& reader,
                                        Sides sides = Sides::both);
  // From here on every distance has the same bias.
  size_t reach_max() const { return distance_max_; }
  // By head and distance, [heads, 2 * reach + 1], as attention takes it.
  std::vector<float> by_distance(size_t reach) const;
  // Adds to one head's scores for tokens at the given columns.
  void add(std::span<const int64_t> columns, const tensor::AttentionBias::Block& block) const;

 private:
  float of(int64_t distance, size_t head) const;

  std::vector<float> table_;  // [buckets, heads]
  size_t buckets_ = 0, distance_max_ = 0, heads_ = 0;
  Sides sides_ = Sides::both;
};

// What one layer of DeBERTa adds to its scores: content against the embedding of a distance, both ways.
class DisentangledBias {
 public:
  // `table` [2 span, E]; the layer's own projections where it shares them.
  static Result<DisentangledBias> load(const EncoderPlan& plan, const WeightReader& reader,
                                       const std::string& layer, const std::vector<float>& table);
  // Adds to one head's scores for tokens at the given columns; `query` and `key` are the head's first rows,
  // `stride` floats apart.
  void add(std::span<const int64_t> columns, const tensor::AttentionBias::Block& block, const float* query,
           const float* key, size_t stride, float scale) const;

 private:
  size_t row_of(int64_t distance) const;

  Disentangled kind_;
  std::vector<LinearLayer> keys_, queries_;  // One a head: [2 span, D].
};

// The distance table of a DeBERTa encoder, normalized where the model does that.
Result<std::vector<float>> load_distance_table(const EncoderPlan& plan, const WeightReader& reader,
                                               const tensor::Kernels& kernels);

}  // namespace holdfast::model
