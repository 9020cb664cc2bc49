#include "model/step_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/generation/next_token.h"

namespace holdfast::model {
namespace {

constexpr size_t alternatives_most = 20;
constexpr size_t new_tokens_default = 20;  // transformers' own.

size_t same_beginning(const std::vector<TokenId>& one, const std::vector<TokenId>& other, size_t most) {
  const size_t limit = std::min({one.size(), other.size(), most});
  size_t same = 0;
  while (same < limit && one[same] == other[same]) ++same;
  return same;
}

uint64_t number_of(const Adapter* adapter) { return adapter == nullptr ? 0 : adapter->number(); }

void add_log_probabilities(std::span<const float> scores, size_t count, StepToken& out) {
  const float most = scores[best_token(scores)];
  double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - most);
  const auto of = [&](TokenId token) {
    return LogProbability{token, static_cast<float>(scores[token] - most - std::log(sum))};
  };
  out.log_probability = of(out.token);
  std::vector<TokenId> ids(scores.size());
  std::iota(ids.begin(), ids.end(), 0U);
  count = std::min({count, alternatives_most, ids.size()});
  std::partial_sort(
      ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count), ids.end(),
      [&](TokenId a, TokenId b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  for (size_t i = 0; i < count; ++i) out.alternatives.push_back(of(ids[i]));
}

}  // namespace

StepBatch::StepBatch(const DecoderModel& model, tensor::Threads& threads, StepOptions options)
    : model_(model), threads_(threads), options_(options) {
  for (const RopeSpec& rope : model.plan().ropes)
    if (rope.kind == RopeSpec::Kind::dynamic ||
        (rope.kind == RopeSpec::Kind::longrope && rope.short_factors != rope.long_factors))
      positions_by_length_ = true;
  carries_states_ = model.decoder().pages().state_floats() > 0;
  if (model.plan().renews_keys) renewed_after_ = model.plan().ropes[0].original_positions;
}

size_t StepBatch::length_limit(const StepRequest& request) const {
  const GenerationSettings& settings = request.settings;
  size_t limit = settings.length_max.value_or(request.prompt.size() + new_tokens_default);
  if (settings.new_tokens_max) limit = request.prompt.size() + *settings.new_tokens_max;
  return std::min(limit, model_.plan().positions);
}

// The longest beginning of a prompt that some cache holds; its last token's scores must still come out.
KvCache StepBatch::find_beginning(const StepRequest& request) {
  const std::vector<TokenId>& prompt = request.prompt;
  if (positions_by_length_) return {};
  const KvCache* best = nullptr;
  size_t shared = 0;
  const auto look = [&](const std::vector<TokenId>& text, const KvCache& cache) {
    const size_t same = cache.keeps(same_beginning(prompt, text, std::min(cache.tokens, prompt.size() - 1)));
    if (same <= shared) return;
    shared = same;
    best = &cache;
  };
  for (const Remembered& one : remembered_)
    if (one.adapter == number_of(request.adapter)) look(one.text, one.cache);
  for (const auto& row : rows_)
    if (row->request.adapter == request.adapter) look(row->text, row->cache);
  if (best == nullptr) return {};
  KvCache out = *best;
  out.shorten(shared);
  tokens_reused_ += shared;
  return out;
}

Result<StepBatch::Sequence> StepBatch::join(StepRequest request) {
  if (request.prompt.empty()) return fail(Reason::bad_request, "the prompt has no tokens");
  if (request.settings.beams != 1 || request.settings.returned != 1)
    return fail(Reason::bad_request, "a text that is made step by step has one beam");
  for (const TokenId token : request.prompt)
    if (token >= model_.plan().vocabulary)
      return fail(Reason::bad_request,
                  fmt::format("token id {} is outside 0 to {}", token, model_.plan().vocabulary - 1));
  const size_t limit = length_limit(request);
  if (request.prompt.size() >= model_.plan().positions)
    return fail(Reason::input_too_long,
                fmt::format("the prompt has {} tokens, the model takes {} with its answer",
                            request.prompt.size(), model_.plan().positions));
  if (limit <= request.prompt.size()) return fail(Reason::bad_request, "no new token is asked for");
  const size_t pages = model_.decoder().pages().pages_for(limit);
  if (rows_.size() >= options_.sequences_max || pages_used_ + pages > options_.pages_max)
    return fail(Reason::queue_full, "the model writes as many texts as it has room for");
  while (!remembered_.empty() && remembered_.size() >= options_.remembered_max) remembered_.pop_back();

  auto row = std::make_unique<Row>();
  row->id = Sequence{++last_id_};
  row->text = request.prompt;
  row->prompt = request.prompt.size();
  row->length_max = limit;
  row->pages = pages;
  row->cache = find_beginning(request);
  row->chain.emplace(request.settings, LogitsChain::Call{.prompt_length = row->prompt, .length_max = limit});
  row->request = std::move(request);
  pages_used_ += pages;
  rows_.push_back(std::move(row));
  return rows_.back()->id;
}

void StepBatch::remember(Row& row) {
  pages_used_ -= row.pages;
  if (options_.remembered_max == 0 || positions_by_length_) return;
  row.text.resize(std::min(row.text.size(), row.cache.tokens));
  remembered_.push_front({number_of(row.request.adapter), std::move(row.text), std::move(row.cache)});
  while (remembered_.size() > options_.remembered_max) remembered_.pop_back();
}

void StepBatch::leave(Sequence sequence) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const auto& row) { return row->id == sequence; });
  if (found == rows_.end()) return;
  remember(**found);
  rows_.erase(found);
}

// `scored`: of each row, how many of its last tokens need scores.
Result<TokenBatch> StepBatch::next_batch(std::vector<size_t>& scored) {
  TokenBatch batch;
  size_t room = options_.tokens_a_step;
  for (const auto& row : rows_) {
    if (renewed_after_ > 0 && row->text.size() > renewed_after_ && row->cache.tokens <= renewed_after_)
      row->cache.shorten(0);
    const size_t held = row->cache.tokens;
    size_t count = row->text.size() - held;
    row->guesses.clear();
    if (count > 1 && !positions_by_length_) {
      count = std::min(count, std::max<size_t>(room, 1));
      room -= std::min(room, count);
    }
    for (size_t i = 0; i < count; ++i) batch.add(row->text[held + i], 0, static_cast<int64_t>(held + i));
    const bool whole = held + count == row->text.size();
    if (whole && row->request.drafter != nullptr && !positions_by_length_ && !carries_states_) {
      const size_t most = std::min(row->request.drafted_max, row->length_max - row->text.size() - 1);
      if (most > 0) {
        TRY(const std::vector<TokenId> drafts, row->request.drafter->propose(row->text, most));
        for (const TokenId token : drafts) {
          if (token >= model_.plan().vocabulary || row->guesses.size() == most) break;
          batch.add(token, 0, static_cast<int64_t>(held + count + row->guesses.size()));
          row->guesses.push_back(token);
        }
      }
    }
    batch.end_sequence();
    scored.push_back(whole ? 1 + row->guesses.size() : 0);
  }
  return batch;
}

std::span<float> StepBatch::scores_of(const Decoder::States& states, const TokenBatch& batch,
                                      const std::vector<size_t>& scored) {
  const size_t inputs = model_.decoder().head_inputs();
  const size_t count = std::accumulate(scored.begin(), scored.end(), size_t{0});
  // Megabytes: kept, since memory that is new has to be cleared first.
  if (head_rows_.size() < count * inputs) head_rows_ = tensor::Floats(count * inputs);
  if (scores_.size() < count * model_.head_width()) scores_ = tensor::Floats(count * model_.head_width());
  float* into = head_rows_.data();
  for (size_t i = 0; i < scored.size(); ++i) {
    const float* from = states.last.data() + (batch.starts[i + 1] - scored[i]) * inputs;
    into = std::copy_n(from, scored[i] * inputs, into);
  }
  if (count > 0) model_.run_head(head_rows_.data(), count, scores_.data(), threads_);
  return scores_.span().first(count * model_.head_width());
}

StepToken StepBatch::choose(Row& row, std::span<float> scores) {
  StepToken out{.sequence = row.id};
  const GenerationSettings& settings = row.request.settings;
  std::vector<float> own;
  if (row.request.alternatives) own.assign(scores.begin(), scores.end());
  // First what may be written at all: the best of the rest alone might be none of it.
  if (row.request.bound.constraint != nullptr) {
    Status bound = row.request.bound.constraint->restrict(scores);
    if (!bound.ok()) {
      out.end = StepToken::End::failed;
      out.error = std::move(bound).error();
      return out;
    }
  }
  row.chain->apply(row.text, 0, scores);
  out.token = settings.sample ? sample_token(scores, settings.seed, row.text.size() - row.prompt)
                              : best_token(scores);
  if (row.request.alternatives) add_log_probabilities(own, *row.request.alternatives, out);
  const bool ends = std::find(settings.end_tokens.begin(), settings.end_tokens.end(), out.token) !=
                    settings.end_tokens.end();
  if (row.request.bound.constraint != nullptr && !ends)
    row.request.bound.constraint->accept(out.token, (*row.request.bound.token_bytes)[out.token]);
  if (ends)
    out.end = StepToken::End::end_token;
  else if (row.text.size() + 1 >= row.length_max)
    out.end = StepToken::End::length;
  return out;
}

void StepBatch::take(Row& row, std::span<float> scores, std::vector<StepToken>& out) {
  const size_t width = model_.head_width(), before = row.text.size();
  // What stands in the cache behind the text are guesses; each is kept when it is what is chosen.
  for (size_t i = 0; i <= row.guesses.size(); ++i) {
    StepToken token = choose(row, scores.subspan(i * width, width));
    const bool on = token.end == StepToken::End::goes_on;
    if (token.end != StepToken::End::failed) row.text.push_back(token.token);
    const bool guessed = i < row.guesses.size() && row.guesses[i] == token.token;
    out.push_back(std::move(token));
    if (!on || !guessed) {
      row.cache.shorten(before + i);
      return;
    }
  }
}

Result<std::vector<StepToken>> StepBatch::step() {
  std::vector<StepToken> out;
  if (rows_.empty()) return out;
  std::vector<size_t> scored;
  TRY(const TokenBatch batch, next_batch(scored));
  std::vector<KvCache*> caches;
  std::vector<const Adapter*> adapters;
  for (const auto& row : rows_) {
    caches.push_back(&row->cache);
    adapters.push_back(row->request.adapter);
  }
  if (std::all_of(adapters.begin(), adapters.end(), [](const Adapter* one) { return one == nullptr; }))
    adapters.clear();
  TRY(const Decoder::States states,
      model_.decoder().forward(batch, caches, threads_, Decoder::Keep::last, adapters));
  const std::span<float> scores = scores_of(states, batch, scored);
  std::vector<size_t> first(scored.size());
  std::exclusive_scan(scored.begin(), scored.end(), first.begin(), size_t{0});
  // Each text's choice is its own affair, and looks at all of the vocabulary.
  std::vector<std::vector<StepToken>> chosen(scored.size());
  const size_t width = model_.head_width();
  threads_.run(scored.size(), [&](size_t i) {
    if (scored[i] > 0) take(*rows_[i], scores.subspan(first[i] * width, scored[i] * width), chosen[i]);
  });
  for (std::vector<StepToken>& tokens : chosen)
    std::move(tokens.begin(), tokens.end(), std::back_inserter(out));
  for (const StepToken& token : out)
    if (token.end != StepToken::End::goes_on) leave(token.sequence);
  return out;
}

}  // namespace holdfast::model
