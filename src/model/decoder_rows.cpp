#include "model/decoder_rows.h"

#include <algorithm>

namespace holdfast::model {

size_t DecoderRows::length_max() const {
  // Rotary positions go on past what the model was trained for; a table of positions does not.
  return model_.plan().position_table.empty() ? size_t{1} << 20 : model_.plan().positions;
}

Status DecoderRows::step(const TokenBatch& batch, std::span<float> scores) {
  std::vector<KvCache*> caches;
  for (KvCache& cache : caches_) caches.push_back(&cache);
  TRY(const Decoder::States states, model_.decoder().forward(batch, caches, threads_));
  const size_t width = model_.decoder().head_inputs();
  std::vector<float> last(batch.sequences() * width);
  for (size_t i = 0; i < batch.sequences(); ++i)
    std::copy_n(states.last.data() + (batch.starts[i + 1] - 1) * width, width, last.data() + i * width);
  model_.run_head(last.data(), batch.sequences(), scores.data(), threads_);
  return Done{};
}

Status DecoderRows::begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) {
  caches_.assign(prompts.size(), KvCache());
  TokenBatch batch;
  for (const std::vector<TokenId>& prompt : prompts) {
    for (size_t i = 0; i < prompt.size(); ++i) batch.add(prompt[i], 0, static_cast<int64_t>(i));
    batch.end_sequence();
  }
  return step(batch, scores);
}

Status DecoderRows::extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                           std::span<float> scores) {
  std::vector<size_t> uses(caches_.size());
  for (size_t parent : parents) ++uses[parent];
  std::vector<KvCache> next;
  next.reserve(parents.size());
  for (size_t parent : parents)
    next.push_back(--uses[parent] == 0 ? std::move(caches_[parent]) : caches_[parent]);
  caches_ = std::move(next);
  TokenBatch batch;
  for (size_t i = 0; i < tokens.size(); ++i) {
    batch.add(tokens[i], 0, static_cast<int64_t>(caches_[i].tokens));
    batch.end_sequence();
  }
  return step(batch, scores);
}

}  // namespace holdfast::model
