#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/disk.h"
#include "model/decoder_plan.h"
#include "model/weight_reader.h"
#include "tensor/linear.h"

namespace holdfast::model {

// A low-rank change of one linear layer: out += up (down in), the scale already in `up`.
struct LowRank {
  LinearLayer down;   // [rank, inputs]
  LinearLayer up;     // [outputs, rank]
  size_t column = 0;  // Of the layer's outputs, where these begin.
};

// A LoRA adapter as PEFT stores it (adapter_config.json, adapter_model.safetensors) for a decoder of the
// given plan. Any number can be used beside one base, each by its own sequences. Immutable; safe from any
// thread.
class Adapter {
 public:
  // Which product of a layer.
  enum class Place : uint8_t { query_key_value, attention_out, gate_up, down };
  static constexpr size_t places = 4;

  // model_unsupported for what is not done here (DoRA, biases, changed embeddings, experts), bad_request for
  // tensors that do not fit or that nothing asks for: an adapter is never used in part.
  static Result<Adapter> open(io::Disk& disk, const io::Path& folder, const DecoderPlan& plan,
                              tensor::Compute compute = {});

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
  friend class AdapterReader;
  struct Layer {
    std::vector<LowRank> at[places];
  };

  uint64_t number_ = 0;
  size_t bytes_ = 0;
  std::string base_;
  std::vector<Layer> layers_;
};

}  // namespace holdfast::model
