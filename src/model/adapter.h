#pragma once

#include <string>
#include <vector>

#include "io/disk.h"
#include "model/adapter_files.h"
#include "model/decoder_plan.h"
#include "model/weight_reader.h"
#include "tensor/linear.h"

namespace holdfast::model {

// A change of one linear layer: out = factor * out + shift + up (down in), all scales already in `up`.
struct LowRank {
  LinearLayer down;                  // [rank, inputs]; null: the shift alone.
  LinearLayer up;                    // [outputs, rank]
  size_t column = 0;                 // Of the layer's outputs, where these begin.
  std::vector<float> factor, shift;  // [outputs], or empty: 1 and 0.
};

// A LoRA adapter as PEFT or llama.cpp stores it, for a decoder of the given plan. Any number can be used
// beside one base, each by its own sequences. Immutable; safe from any thread.
class Adapter {
 public:
  // Which product of a layer.
  enum class Place : uint8_t { query_key_value, attention_out, gate_up, down };
  static constexpr size_t places = 4;

  // `place`: read_adapter's. `weights`: those that the plan names, which DoRA's lengths are of.
  // model_unsupported for what is not done here (changed embeddings, experts, ...), bad_request for tensors
  // that do not fit or that nothing asks for: an adapter is never used in part.
  static Result<Adapter> open(io::Disk& disk, const io::Path& place, const AdapterBase& base,
                              const WeightReader& weights);

  // Adds to a product's outputs, rows out_stride apart. in: [rows, inputs], in_stride apart.
  struct Job {
    const float* in = nullptr;
    float* out = nullptr;
    size_t rows = 0, in_stride = 0, out_stride = 0;
  };
  bool changes(size_t layer, Place place) const {
    return !layers_[layer].at[static_cast<size_t>(place)].empty();
  }
  void add(size_t layer, Place place, const Job& job, tensor::Threads& threads) const;

  size_t bytes() const { return bytes_; }  // What its weights take in memory.
  // No other adapter of this process has or had it; above 0.
  uint64_t number() const { return number_; }
  const std::string& base() const {
    return base_;
  }  // As its config names the model it was made for; may be empty.

 private:
  friend class AdapterBuilder;
  struct Layer {
    std::vector<LowRank> at[places];
  };

  uint64_t number_ = 0;
  size_t bytes_ = 0;
  std::string base_;
  std::vector<Layer> layers_;
};

}  // namespace holdfast::model
