#include "cli/prompt_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "model/generation/next_token.h"

namespace holdfast::cli {
namespace {

using model::LogProbability;
using model::TokenId;

constexpr size_t tokens_a_step = 64, head_rows = 16;

PromptScores::Token judged(TokenId token, std::span<const float> scores, size_t count) {
  const float most = scores[model::best_token(scores)];
  double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - most);
  const auto of = [&](TokenId id) {
    return LogProbability{id, static_cast<float>(scores[id] - most - std::log(sum))};
  };
  PromptScores::Token out{.id = token, .chosen = of(token), .others = {}};
  std::vector<TokenId> ids(scores.size());
  std::iota(ids.begin(), ids.end(), 0U);
  count = std::min(count, ids.size());
  std::partial_sort(
      ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count), ids.end(),
      [&](TokenId a, TokenId b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  for (size_t i = 0; i < count; ++i) out.others.push_back(of(ids[i]));
  return out;
}

}  // namespace

PromptScores::PromptScores(const model::DecoderModel& model, const model::Adapter* adapter,
                           std::vector<TokenId> prompt, size_t alternatives)
    : model_(model),
      adapter_(adapter),
      prompt_(std::move(prompt)),
      alternatives_(alternatives),
      part_(tokens_a_step) {
  // Where rotary frequencies hang on the length there are no parts.
  for (const model::RopeSpec& rope : model.plan().ropes)
    if (rope.kind == model::RopeSpec::Kind::dynamic || rope.kind == model::RopeSpec::Kind::longrope)
      part_ = prompt_.size();
}

Status PromptScores::step(tensor::Threads& threads) {
  if (done()) return Done{};
  if (tokens_.empty()) tokens_.push_back({.id = prompt_.front(), .chosen = {}, .others = {}});
  // The last token's own scores are of what comes behind the prompt.
  const size_t begin = cache_.tokens, end = std::min(begin + part_, prompt_.size() - 1);
  if (begin == end) return Done{};
  model::TokenBatch batch;
  for (size_t i = begin; i < end; ++i) batch.add(prompt_[i], 0, static_cast<int64_t>(i));
  batch.end_sequence();
  std::vector<model::KvCache*> caches = {&cache_};
  TRY(const model::Decoder::States states,
      model_.decoder().forward(batch, caches, threads, model::Decoder::Keep::last, {&adapter_, 1}));
  const size_t inputs = model_.decoder().head_inputs(), width = model_.head_width();
  std::vector<float> scores(head_rows * width);
  for (size_t at = begin; at < end; at += head_rows) {
    const size_t rows = std::min(head_rows, end - at);
    model_.run_head(states.last.data() + (at - begin) * inputs, rows, scores.data(), threads);
    for (size_t i = 0; i < rows; ++i)
      tokens_.push_back(
          judged(prompt_[at + i + 1], std::span(scores).subspan(i * width, width), alternatives_));
  }
  return Done{};
}

}  // namespace holdfast::cli
