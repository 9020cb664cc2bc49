#pragma once

#include <memory>

#include "io/disk.h"
#include "model/decoder.h"
#include "model/encoder.h"
#include "model/generation/next_token.h"
#include "model/padded_batch.h"
#include "model/seq2seq_plan.h"
#include "model/signal_encoder.h"

namespace holdfast::model {

// An encoder-decoder checkpoint (T5, BART, Whisper, ...): the shared encoder block reads a text, or another
// encoder images or sounds; the shared decoder block writes from what it left. Owns its weights. Safe from
// any thread.
class Seq2SeqModel {
 public:
  static Result<Seq2SeqModel> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {});

  const Seq2SeqPlan& plan() const { return plan_; }
  const Decoder& decoder() const { return *decoder_; }
  // Of the folder's generation_config.json and config.json, for whoever says nothing.
  const GenerationSettings& generation() const { return generation_; }
  size_t vocabulary() const { return plan_.decoder.vocabulary; }

  // What reads images or sounds; null where the model reads texts, as `encode`, `remember` of a batch,
  // `decode_shifted` and `classify` do.
  const SignalEncoder* signals() const { return signals_.get(); }
  // What the decoder reads of images or sounds under their argument names, one memory an item: with these,
  // Seq2SeqRows go on from a prompt of any number of tokens. Only with `signals`.
  Result<std::vector<Memory>> remember_signals(const tensor::Weights& inputs, tensor::Threads& threads) const;

  // The encoder's last hidden states, [tokens, E].
  Result<tensor::Floats> encode(const TokenBatch& batch, tensor::Threads& threads) const;
  // What the decoder reads of them, one a sequence.
  std::vector<Memory> remember(const TokenBatch& batch, const tensor::Floats& hidden,
                               tensor::Threads& threads) const;
  // The decoder's last hidden states for what it is to read after each sequence of the encoder's, both
  // shifted by one: [tokens, E] of `read`.
  Result<tensor::Floats> decode_shifted(const TokenBatch& read, tensor::Threads& threads) const;
  // Labels' scores [sequences, labels]; bad_request where a sequence has no end token.
  Result<tensor::Floats> classify(const TokenBatch& read, tensor::Threads& threads) const;
  // Scores of rows of the decoder's output: [count, vocabulary], or [count, labels].
  void run_head(const float* rows, size_t count, float* scores, tensor::Threads& threads) const;

 private:
  Seq2SeqModel() = default;
  Status load_head(const WeightReader& reader);
  Result<SignalStates> encode_signals(const tensor::Weights& inputs, tensor::Threads& threads) const;
  std::vector<Memory> remember(const SignalStates& states, tensor::Threads& threads) const;
  friend Result<std::vector<NamedTensor>> forward(const Seq2SeqModel& model, const tensor::Weights& inputs,
                                                  tensor::Threads& threads);

  Seq2SeqPlan plan_;
  std::unique_ptr<tensor::Weights> weights_;  // Its address must not change: tables are read in place.
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<SignalEncoder> signals_;  // One of the two is there.
  std::unique_ptr<Decoder> decoder_;
  LinearLayer pooled_, head_;  // pooled_: only of classification.
  GenerationSettings generation_;
};

// A call as transformers takes it: input_ids, attention_mask, decoder_input_ids, decoder_attention_mask; or
// input_features or pixel_values instead of the first two.
// Answers logits (or last_hidden_state) and encoder_last_hidden_state, in padded shapes.
Result<std::vector<NamedTensor>> forward(const Seq2SeqModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads);

// Rows that a decoder writes, each reading what the encoder left of its text. Borrows the model and the
// threads.
class Seq2SeqRows final : public NextToken {
 public:
  // `memories`: of the prompts of `begin`, in order.
  Seq2SeqRows(const Seq2SeqModel& model, std::vector<Memory> memories, tensor::Threads& threads)
      : model_(model), memories_(std::move(memories)), threads_(threads) {}

  size_t vocabulary() const override { return model_.vocabulary(); }
  size_t length_max() const override { return model_.plan().decoder.positions; }
  Status begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) override;
  Status extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                std::span<float> scores) override;

 private:
  Status step(const TokenBatch& batch, std::span<float> scores);

  const Seq2SeqModel& model_;
  const std::vector<Memory> memories_;
  tensor::Threads& threads_;
  std::vector<KvCache> caches_;    // One a row.
  std::vector<size_t> memory_of_;  // Of each row.
};

}  // namespace holdfast::model
