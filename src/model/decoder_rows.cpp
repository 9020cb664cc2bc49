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
  std::vector<const Adapter*> adapters;
  if (adapter_ != nullptr) adapters.assign(batch.sequences(), adapter_);
  TRY(const Decoder::States states,
      model_.decoder().forward(batch, caches, threads_, Decoder::Keep::last, adapters));
  const size_t width = model_.decoder().head_inputs();
  std::vector<float> last(batch.sequences() * width);
  for (size_t i = 0; i < batch.sequences(); ++i)
    std::copy_n(states.last.data() + (batch.starts[i + 1] - 1) * width, width, last.data() + i * width);
  model_.run_head(last.data(), batch.sequences(), scores.data(), threads_);
  return Done{};
}

KvCache DecoderRows::begin_cache(const std::vector<TokenId>& prompt) const {
  // Where frequencies hang on a text's length, keys of another length do not fit.
  for (const RopeSpec& rope : model_.plan().ropes)
    if (rope.kind == RopeSpec::Kind::dynamic ||
        (rope.kind == RopeSpec::Kind::longrope && rope.short_factors != rope.long_factors))
      return {};
  size_t best = 0, shared = 0;
  for (size_t row = 0; row < tokens_.size(); ++row) {
    const auto [one, other] =
        std::mismatch(prompt.begin(), prompt.end(), tokens_[row].begin(), tokens_[row].end());
    const auto count = static_cast<size_t>(one - prompt.begin());
    if (count <= shared || caches_[row].keeps(std::min(count, prompt.size() - 1)) == 0) continue;
    shared = count;
    best = row;
  }
  shared = std::min(shared, prompt.size() - 1);  // The last token's scores must come out.
  if (shared == 0 || caches_[best].keeps(shared) == 0) return {};
  KvCache out = caches_[best];
  out.shorten(shared);
  return out;
}

Status DecoderRows::begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) {
  std::vector<KvCache> caches;
  TokenBatch batch;
  length_ = 0;
  for (const std::vector<TokenId>& prompt : prompts) length_ = std::max(length_, prompt.size());
  for (const std::vector<TokenId>& prompt : prompts) {
    caches.push_back(begin_cache(prompt));
    for (size_t i = caches.back().tokens; i < prompt.size(); ++i)
      batch.add(prompt[i], 0, static_cast<int64_t>(i));
    batch.end_sequence(length_);
  }
  caches_ = std::move(caches);
  tokens_.assign(prompts.begin(), prompts.end());
  return step(batch, scores);
}

bool DecoderRows::renews() const {
  const DecoderPlan& plan = model_.plan();
  return plan.renews_keys && length_ == plan.ropes[0].original_positions + 1;
}

Status DecoderRows::extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                           std::span<float> scores) {
  std::vector<size_t> uses(caches_.size());
  for (size_t parent : parents) ++uses[parent];
  std::vector<KvCache> next;
  std::vector<std::vector<TokenId>> next_tokens;
  TokenBatch batch;
  ++length_;
  const bool again = renews();
  for (size_t i = 0; i < parents.size(); ++i) {
    const size_t parent = parents[i];
    next_tokens.push_back(tokens_[parent]);
    next_tokens.back().push_back(tokens[i]);
    next.push_back(--uses[parent] == 0 ? std::move(caches_[parent]) : caches_[parent]);
    if (again) next.back().shorten(0);
    for (size_t at = next.back().tokens; at < next_tokens.back().size(); ++at)
      batch.add(next_tokens.back()[at], 0, static_cast<int64_t>(at));
    batch.end_sequence(length_);
  }
  caches_ = std::move(next);
  tokens_ = std::move(next_tokens);
  return step(batch, scores);
}

}  // namespace holdfast::model
