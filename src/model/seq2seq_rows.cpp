// Encoder-decoder models: a text token by token.
#include "model/seq2seq_model.h"

namespace holdfast::model {

Status Seq2SeqRows::step(const TokenBatch& batch, std::span<float> scores) {
  std::vector<KvCache*> caches;
  std::vector<const Memory*> memories;
  for (KvCache& cache : caches_) caches.push_back(&cache);
  for (size_t memory : memory_of_) memories.push_back(&memories_[memory]);
  TRY(const Decoder::States states,
      model_.decoder().forward(batch, caches, threads_, Decoder::Keep::last, {}, memories));
  const size_t width = model_.plan().decoder.width;
  std::vector<float> last(batch.sequences() * width);
  for (size_t i = 0; i < batch.sequences(); ++i)
    std::copy_n(states.last.data() + (batch.starts[i + 1] - 1) * width, width, last.data() + i * width);
  model_.run_head(last.data(), batch.sequences(), scores.data(), threads_);
  return Done{};
}

Status Seq2SeqRows::begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) {
  if (prompts.size() != memories_.size()) return fail(Code::internal, "one memory a prompt is needed");
  caches_.clear();
  caches_.resize(prompts.size());
  memory_of_.clear();
  TokenBatch batch;
  for (const std::vector<TokenId>& prompt : prompts) {
    for (size_t i = 0; i < prompt.size(); ++i) batch.add(prompt[i], 0, static_cast<int64_t>(i));
    batch.end_sequence();
    memory_of_.push_back(memory_of_.size());
  }
  return step(batch, scores);
}

Status Seq2SeqRows::extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                           std::span<float> scores) {
  std::vector<size_t> uses(caches_.size()), memory_of;
  for (size_t parent : parents) ++uses[parent];
  std::vector<KvCache> next;
  TokenBatch batch;
  for (size_t i = 0; i < parents.size(); ++i) {
    const size_t parent = parents[i];
    memory_of.push_back(memory_of_[parent]);
    next.push_back(--uses[parent] == 0 ? std::move(caches_[parent]) : caches_[parent]);
    batch.add(tokens[i], 0, static_cast<int64_t>(next.back().tokens));
    batch.end_sequence();
  }
  caches_ = std::move(next);
  memory_of_ = std::move(memory_of);
  return step(batch, scores);
}

}  // namespace holdfast::model
