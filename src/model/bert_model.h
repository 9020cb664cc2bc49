#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/disk.h"
#include "model/bert_encoder.h"

namespace holdfast::model {

// A result under the name that transformers gives it. Rows of a per-token output are the batch's tokens, of
// any other its sequences.
struct NamedOutput {
  std::string name;  // "last_hidden_state", "logits", ...
  enum class Rows : uint8_t { tokens, sequences } rows = Rows::tokens;
  size_t columns = 1;  // 1 with `flat`: the shape ends with the rows.
  bool flat = false;
  tensor::Floats data;  // [rows, columns]
};

// A BERT checkpoint with the head that its config names, loaded from a folder. Owns its weights. Safe from
// any thread.
class BertModel {
 public:
  static Result<BertModel> open(io::Disk& disk, const io::Path& folder, tensor::Isa isa = tensor::best_isa());

  const BertConfig& config() const { return encoder_->config(); }
  const BertEncoder& encoder() const { return *encoder_; }
  // What the head makes of the batch: hidden states and pooled output, logits, or start and end logits.
  // Sequences are not empty.
  Result<std::vector<NamedOutput>> forward(const TokenBatch& batch, tensor::Threads& threads) const;

 private:
  BertModel() = default;
  Status load_head(const WeightReader& reader);
  tensor::Floats dense(const tensor::PackedLinear& layer, const float* in, size_t rows,
                       tensor::Threads& threads, tensor::Epilogue epilogue = tensor::Epilogue::bias) const;
  tensor::Floats pool(const TokenBatch& batch, const tensor::Floats& hidden, tensor::Threads& threads) const;
  std::vector<NamedOutput> answer(const TokenBatch& batch, tensor::Floats hidden,
                                  tensor::Threads& threads) const;

  std::unique_ptr<tensor::Weights>
      weights_;  // Its address must not change: the encoder reads tables in place.
  std::optional<BertEncoder> encoder_;
  std::optional<tensor::PackedLinear> pooler_;
  tensor::PackedLinear classifier_;  // Of every head but none; the vocabulary's for fill_mask.
  tensor::PackedLinear transform_;   // fill_mask: dense and gelu before it ...
  Norm transform_norm_;              // ... and this.
};

}  // namespace holdfast::model
