#pragma once

#include <string>
#include <vector>

#include "io/disk.h"
#include "model/encoder_head.h"

namespace holdfast::model {

// An encoder checkpoint of any family with the head that its config names, loaded from a folder. Owns its
// weights. Safe from any thread.
class EncoderModel {
 public:
  static Result<EncoderModel> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {});

  const EncoderPlan& plan() const { return encoder_->plan(); }
  const Encoder& encoder() const { return *encoder_; }
  // What the head makes of the batch: hidden states and pooled output, logits, or start and end logits.
  // Sequences are not empty.
  Result<std::vector<NamedOutput>> forward(const TokenBatch& batch, tensor::Threads& threads) const;
  // Whether an output is read from sequences' first tokens.
  bool reads_first_tokens() const;

 private:
  EncoderModel() = default;

  std::unique_ptr<tensor::Weights>
      weights_;  // Its address must not change: the encoder reads tables in place.
  std::unique_ptr<Encoder> encoder_;
  std::vector<EncoderHead> heads_;
};

// config.json of a model folder.
Result<boost::json::object> read_config(io::Disk& disk, const io::Path& folder);

}  // namespace holdfast::model
