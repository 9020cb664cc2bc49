#include "model/draft_model.h"

#include <algorithm>

#include "model/generation/next_token.h"

namespace holdfast::model {
namespace {

class DraftModel final : public Drafter {
 public:
  DraftModel(const DecoderModel& model, tensor::Threads& threads) : model_(model), threads_(threads) {}

  Result<std::vector<TokenId>> propose(std::span<const TokenId> text, size_t most) override {
    // What was guessed wrong is forgotten.
    size_t same = 0;
    while (same < held_.size() && same + 1 < text.size() && held_[same] == text[same]) ++same;
    same = cache_.keeps(same);
    held_.resize(same);
    cache_.shorten(same);
    std::vector<TokenId> out;
    std::vector<TokenId> next(text.begin() + static_cast<ptrdiff_t>(same), text.end());
    while (out.size() < most && held_.size() + next.size() < model_.plan().positions) {
      TRY(const TokenId token, best_after(next));
      out.push_back(token);
      next = {token};
    }
    return out;
  }

 private:
  Result<TokenId> best_after(const std::vector<TokenId>& tokens) {
    TokenBatch batch;
    for (const TokenId token : tokens)
      batch.add(token, 0, static_cast<int64_t>(cache_.tokens + batch.tokens()));
    batch.end_sequence();
    KvCache* caches[] = {&cache_};
    TRY(const Decoder::States states, model_.decoder().forward(batch, caches, threads_));
    held_.insert(held_.end(), tokens.begin(), tokens.end());
    std::vector<float> scores(model_.head_width());
    const size_t width = model_.decoder().head_inputs();
    model_.run_head(states.last.data() + (tokens.size() - 1) * width, 1, scores.data(), threads_);
    return best_token(scores);
  }

  const DecoderModel& model_;
  tensor::Threads& threads_;
  KvCache cache_;
  std::vector<TokenId> held_;  // What the cache holds.
};

}  // namespace

std::unique_ptr<Drafter> make_draft_model(const DecoderModel& model, tensor::Threads& threads) {
  return std::make_unique<DraftModel>(model, threads);
}

}  // namespace holdfast::model
