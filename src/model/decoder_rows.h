#pragma once

#include "model/decoder_model.h"
#include "model/generation/next_token.h"

namespace holdfast::model {

// Rows of a decoder that generation goes on with: a cache each. A prompt that begins like a row of before
// takes over that row's cache as far as they agree, with the same bits. Borrows the model and the threads.
class DecoderRows final : public NextToken {
 public:
  // `adapter`: of all rows, borrowed; null for the base alone.
  DecoderRows(const DecoderModel& model, tensor::Threads& threads, const Adapter* adapter = nullptr)
      : model_(model), threads_(threads), adapter_(adapter) {}

  size_t vocabulary() const override { return model_.head_width(); }
  size_t length_max() const override;
  Status begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) override;
  Status extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                std::span<float> scores) override;

 private:
  Status step(const TokenBatch& batch, std::span<float> scores);

  const DecoderModel& model_;
  tensor::Threads& threads_;
  const Adapter* const adapter_;
  // The cache to begin a prompt with, and how many tokens it holds.
  KvCache begin_cache(const std::vector<TokenId>& prompt) const;

  // Made from the beginning, into empty caches: what the plan's renews_keys asks for at this length.
  bool renews() const;

  size_t length_ = 0;                         // Of the longest row: frequencies by length are the batch's.
  std::vector<KvCache> caches_;               // One a row.
  std::vector<std::vector<TokenId>> tokens_;  // What each cache holds.
};

}  // namespace holdfast::model
