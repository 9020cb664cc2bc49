#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <vector>

#include "base/random.h"
#include "io/disk.h"
#include "model/backend.h"
#include "model/encoder_head.h"
#include "tensor/packed_layers.h"
#include "tensor/weights.h"

namespace holdfast::model {

class CausalEncoder;
class GraphEncoder;
class Seq2SeqModel;

// An encoder checkpoint of any family with the head that its config names, loaded from a folder: its weights
// on our own blocks, or where it has none its graph on another backend, or an encoder-decoder model that
// judges texts (BartForSequenceClassification), or a decoder that embeds or judges them (Qwen3-Embedding).
// Owns its weights. Safe from any thread.
class EncoderModel {
 public:
  EncoderModel(EncoderModel&&) noexcept;
  EncoderModel& operator=(EncoderModel&&) noexcept;
  ~EncoderModel();  // These three in the .cpp: most who read this header see neither graphs nor
                    // decoders.

  // `graphs`: what runs a folder without safetensors; null: nothing does. `keep`: names an unfinished file
  // when packed layers are kept in the folder (docs/formats/packed-layers.md) for whoever opens it next,
  // which is for copies that nobody changes; null: layers have memory of their own.
  static Result<EncoderModel> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {},
                                   const Backend* graphs = nullptr, Random* keep = nullptr);

  const EncoderPlan& plan() const;
  const Encoder* encoder() const { return encoder_.get(); }  // Null where it is anything else.
  // Hidden states of the last layer, [tokens, E].
  Result<tensor::Floats> hidden(const TokenBatch& batch, tensor::Threads& threads) const;
  // What the head makes of the batch: hidden states and pooled output, logits, or start and end logits.
  // Sequences are not empty.
  Result<std::vector<NamedOutput>> forward(const TokenBatch& batch, tensor::Threads& threads) const;
  // Whether an output is read from sequences' first tokens.
  bool reads_first_tokens() const;

 private:
  EncoderModel();
  Status load(const EncoderPlan& plan, tensor::Compute compute);
  Result<std::vector<NamedOutput>> judge(const TokenBatch& batch, tensor::Threads& threads) const;

  std::unique_ptr<tensor::Weights>
      weights_;  // Its address must not change: the encoder reads tables in place.
  std::unique_ptr<tensor::PackedLayers> packed_;  // Null: layers have memory of their own.
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<GraphEncoder> graph_;
  std::unique_ptr<Seq2SeqModel> seq2seq_;  // Without a language head.
  std::unique_ptr<CausalEncoder> causal_;  // One of the four is there.
  std::vector<EncoderHead> heads_;
};

// config.json of a model folder.
Result<boost::json::object> read_config(io::Disk& disk, const io::Path& folder);

}  // namespace holdfast::model
