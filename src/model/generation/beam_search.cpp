#include "model/generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace holdfast::model {
namespace {

constexpr float hopeless = -1e9F;  // What the reference adds to rule something out.

struct Beam {
  std::vector<TokenId> sequence;
  float score = hopeless;
  size_t row = 0;         // In the model, of a running beam.
  bool finished = false;  // Of a finished one: false is an empty place.
};

// One prompt's search.
class Search {
 public:
  Search(const Call& call, const Prompt& prompt, size_t row)
      : call_(call), padding_(prompt.padding), running_(call.settings.beams), done_(call.settings.beams) {
    for (Beam& beam : running_) {
      beam.sequence = prompt.tokens;
      beam.row = row;
    }
    running_[0].score = 0;  // The others start hopeless: all hold the same tokens.
    for (Beam& beam : done_) beam.sequence = prompt.tokens;
  }

  const std::vector<Beam>& running() const { return running_; }
  // `scores` are the model's, one row of `width` for each running beam's `row`.
  void step(std::span<const float> scores, size_t width);
  // Nothing can go on.
  bool all_stopped() const { return all_stopped_; }
  bool improvable() const { return improvable_; }
  bool full() const {
    return std::all_of(done_.begin(), done_.end(), [](const Beam& beam) { return beam.finished; });
  }
  void renumber(size_t beam, size_t row) { running_[beam].row = row; }
  const std::vector<Beam>& done() const { return done_; }

 private:
  std::vector<Beam> continuations(std::span<const float> scores, size_t width);
  void keep_running(const std::vector<Beam>& top);
  void keep_finished(const std::vector<Beam>& top);
  void judge();

  double length_factor(size_t generated) const {
    return std::pow(static_cast<double>(generated), call_.settings.length_penalty);
  }

  const Call& call_;
  size_t padding_;
  std::vector<Beam> running_, done_;
  bool improvable_ = true, all_stopped_ = false;
};

// The best continuations of all running beams, best first; `finished` where one stops.
std::vector<Beam> Search::continuations(std::span<const float> scores, size_t width) {
  const auto& settings = call_.settings;
  const size_t kept = std::max<size_t>(2, 1 + settings.end_tokens.size()) * settings.beams;
  std::vector<float> all(running_.size() * width);
  for (size_t b = 0; b < running_.size(); ++b) {
    const auto into = std::span(all).subspan(b * width, width);
    std::copy_n(scores.begin() + static_cast<ptrdiff_t>(running_[b].row * width), width, into.begin());
    logits::log_softmax(into);
    call_.chain.apply(running_[b].sequence, padding_, into);
    for (float& score : into) score += running_[b].score;
  }
  std::vector<uint32_t> order(all.size());
  std::iota(order.begin(), order.end(), 0U);
  const size_t taken = std::min(kept, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(taken), order.end(),
                    [&](uint32_t a, uint32_t b) { return all[a] != all[b] ? all[a] > all[b] : a < b; });
  std::vector<Beam> out;
  for (size_t i = 0; i < taken; ++i) {
    const Beam& from = running_[order[i] / width];
    const auto token = static_cast<TokenId>(order[i] % width);
    Beam next{.sequence = from.sequence, .score = all[order[i]], .row = from.row, .finished = false};
    next.sequence.push_back(token);
    const auto& ends = settings.end_tokens;
    next.finished =
        next.sequence.size() >= call_.length_max || std::find(ends.begin(), ends.end(), token) != ends.end();
    out.push_back(std::move(next));
  }
  return out;
}

void Search::keep_running(const std::vector<Beam>& top) {
  std::vector<Beam> next = top;
  for (Beam& beam : next) {
    if (beam.finished) beam.score += hopeless;
    beam.finished = false;
  }
  std::stable_sort(next.begin(), next.end(), [](const Beam& a, const Beam& b) { return a.score > b.score; });
  next.resize(running_.size());
  running_ = std::move(next);
}

void Search::keep_finished(const std::vector<Beam>& top) {
  const bool closed = full() && call_.settings.early_stopping == EarlyStopping::when_full;
  std::vector<Beam> merged = done_;
  const size_t beams = done_.size();
  for (size_t i = 0; i < top.size(); ++i) {
    Beam beam = top[i];
    beam.score = static_cast<float>(beam.score / length_factor(beam.sequence.size() - call_.prompt_length));
    // Only the best `beams` may end; the rest are there so that enough can go on.
    beam.finished = beam.finished && i < beams;
    if (closed) beam.score += hopeless;
    if (!improvable_) beam.score += hopeless;
    if (!beam.finished) beam.score += hopeless;
    merged.push_back(std::move(beam));
  }
  std::stable_sort(merged.begin(), merged.end(),
                   [](const Beam& a, const Beam& b) { return a.score > b.score; });
  merged.resize(beams);
  done_ = std::move(merged);
}

// Whether a running beam could still beat the worst that is finished.
void Search::judge() {
  const auto& settings = call_.settings;
  const size_t length = settings.early_stopping == EarlyStopping::never && settings.length_penalty > 0
                            ? call_.length_max
                            : running_[0].sequence.size();
  const auto best = static_cast<float>(running_[0].score / length_factor(length - call_.prompt_length));
  float worst = done_[0].score;
  for (const Beam& beam : done_) worst = std::min(worst, beam.score);
  const bool any = std::any_of(done_.begin(), done_.end(),
                               [&](const Beam& beam) { return best > (beam.finished ? worst : hopeless); });
  improvable_ = improvable_ && any;
}

void Search::step(std::span<const float> scores, size_t width) {
  const auto top = continuations(scores, width);
  all_stopped_ = std::all_of(top.begin(), top.end(), [](const Beam& beam) { return beam.finished; });
  keep_running(top);
  keep_finished(top);
  judge();
}

Generated collect(std::span<const Search> searches, const Call& call) {
  Generated out;
  size_t longest = call.prompt_length;
  for (const Search& search : searches)
    for (size_t i = 0; i < call.settings.returned; ++i) {
      out.sequences.push_back(search.done()[i].sequence);
      out.scores.push_back(search.done()[i].score);
      longest = std::max(longest, out.sequences.back().size());
    }
  // As the reference does, to which a pad token of 0 counts as none.
  const auto& ends = call.settings.end_tokens;
  const TokenId fill = call.pad == 0 && !ends.empty() ? ends.front() : call.pad;
  for (auto& sequence : out.sequences) sequence.resize(longest, fill);
  return out;
}

}  // namespace

Result<Generated> beam_search(NextToken& model, std::span<const Prompt> prompts, const Call& call) {
  if (call.settings.sample) return fail(Reason::bad_request, "sampling within beams is not built");
  const size_t width = model.vocabulary();
  std::vector<float> scores(prompts.size() * width);
  TRY_DONE(model.begin(bare_prompts(prompts), scores));
  std::vector<Search> searches;
  for (size_t p = 0; p < prompts.size(); ++p) searches.emplace_back(call, prompts[p], p);
  const bool until_full = call.settings.early_stopping == EarlyStopping::when_full;
  while (true) {
    for (Search& search : searches) search.step(scores, width);
    // The reference stops all prompts together.
    const bool hope = std::any_of(searches.begin(), searches.end(), [](auto& s) { return s.improvable(); });
    const bool full = std::all_of(searches.begin(), searches.end(), [](auto& s) { return s.full(); });
    const bool stuck = std::all_of(searches.begin(), searches.end(), [](auto& s) { return s.all_stopped(); });
    if (!hope || (full && until_full) || stuck) break;
    std::vector<size_t> parents;
    std::vector<TokenId> tokens;
    for (Search& search : searches)
      for (size_t b = 0; b < search.running().size(); ++b) {
        const Beam& beam = search.running()[b];
        parents.push_back(beam.row);
        tokens.push_back(beam.sequence.back());
        search.renumber(b, parents.size() - 1);
      }
    scores.resize(parents.size() * width);
    TRY_DONE(model.extend(parents, tokens, scores));
  }
  return collect(searches, call);
}

}  // namespace holdfast::model
