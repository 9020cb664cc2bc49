#pragma once

#include <vector>

#include "model/attention.h"
#include "model/bert_config.h"
#include "model/scratch.h"
#include "model/token_batch.h"
#include "model/weight_reader.h"

namespace holdfast::model {

// The encoder of the BERT family: embeddings and layers of attention and feed-forward, each followed by a
// normalization. Immutable but for scratch memory; safe from any thread. Linear layers are packed copies; the
// embedding tables are read in place from the weights, which it borrows.
class BertEncoder {
 public:
  static Result<BertEncoder> load(const BertConfig& config, const WeightReader& reader, tensor::Isa isa);

  const BertConfig& config() const { return config_; }
  const tensor::Kernels& kernels() const { return *kernels_; }

  // Hidden states of the last layer, [tokens, E]. bad_request for ids, types or positions outside the tables.
  // A sequence's bits do not depend on the batch around it, nor on the number of threads.
  Result<tensor::Floats> forward(const TokenBatch& batch, tensor::Threads& threads) const;

 private:
  // A table that rows are taken from, of any floating type.
  struct Table {
    const tensor::TensorView* view = nullptr;
    size_t width = 0;
    void add_row(size_t row, float* into) const;
  };
  struct Layer {
    tensor::PackedLinear query_key_value, attention_out, inner, out;
    Norm attention_norm, out_norm;
  };
  struct Space {
    tensor::Floats joined, context, inner, first, second;
  };
  struct Part {
    size_t first = 0, last = 0;  // Sequences.
  };
  struct Pools {
    ScratchPool<Space> spaces;
    ScratchPool<AttentionScratch> attention;
  };

  BertEncoder() = default;
  Status check(const TokenBatch& batch) const;
  std::vector<Part> split(const TokenBatch& batch, size_t threads) const;
  void embed(const TokenBatch& batch, size_t row, size_t rows, float* out) const;
  void normalize(const Norm& norm, const float* in, float* out, size_t rows) const;
  void attend_all(const TokenBatch& batch, Part part, Space& space, tensor::Threads& threads) const;
  void run(const TokenBatch& batch, Part part, tensor::Threads& threads, float* out) const;

  BertConfig config_;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
  Table words_, positions_, types_;
  Norm embedding_norm_;
  std::vector<Layer> layers_;
  std::unique_ptr<Pools> pools_;  // Behind a pointer so that the encoder can move.
};

}  // namespace holdfast::model
