#include "serve/callers.h"

#include <algorithm>
#include <cmath>

namespace holdfast::serve {
namespace {

constexpr std::array<std::string_view, oddity_count> names = {"sign", "characters", "shape", "language",
                                                              "size"};

}  // namespace

std::string_view oddity_name(Oddity oddity) { return names[static_cast<size_t>(oddity)]; }

Callers::Callers(const CallerOptions& options, const Clock& clock, Log& log, Metrics& metrics)
    : options_(options),
      clock_(clock),
      log_(log),
      told_(metrics.counter("holdfast_input_unusual_callers_total",
                            "Times that a caller's inputs to models became unusual.")),
      unusual_(metrics.gauge("holdfast_input_unusual_callers",
                             "Callers whose inputs to models are unusual now.")) {
  for (size_t i = 0; i < odd_.size(); ++i)
    odd_[i] =
        &metrics.counter("holdfast_input_odd_total", "Inputs to models that are odd, by what about them is.",
                         {{"oddity", std::string(names[i])}});
}

Callers::Score& Callers::score_of(const std::string& key, Time now) {
  auto place = places_.find(key);
  if (place == places_.end()) {
    if (entries_.size() >= options_.callers_max) {
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({key, {.at = now}});
    place = places_.emplace(key, entries_.begin()).first;
  }
  entries_.splice(entries_.begin(), entries_, place->second);
  Score& score = place->second->score;
  const double ages =
      static_cast<double>((now - score.at).count()) / static_cast<double>(Time(options_.half_life).count());
  const double left = std::exp2(-std::max(ages, 0.0));
  score.all *= left;
  score.odd *= left;
  score.at = now;
  return score;
}

Status Callers::came(const std::string& key, std::chrono::milliseconds& retry_after) {
  const Time now = clock_.now();
  std::lock_guard lock(mutex_);
  Score& score = score_of(key, now);
  score.all += 1;
  if (now >= score.unusual_until || options_.unusual == CallerOptions::Unusual::tell) return Done{};
  const Time next = score.last_let_in + options_.pause;
  if (score.last_let_in.count() > 0 && now < next) {
    retry_after = next - now;
    return fail(Reason::rate_limited,
                "too many inputs of yours were odd of late: one request a second for a while");
  }
  score.last_let_in = now;
  return Done{};
}

void Callers::was_odd(const std::string& key, Oddity oddity) {
  odd_[static_cast<size_t>(oddity)]->add();
  const Time now = clock_.now();
  std::lock_guard lock(mutex_);
  Score& score = score_of(key, now);
  score.odd += 1;
  judge(key, score, now);
}

void Callers::judge(const std::string& key, Score& score, Time now) {
  if (score.odd < options_.odd_min || score.odd < options_.odd_share * std::max(score.all, score.odd)) return;
  const bool already = now < score.unusual_until;
  score.unusual_until = now + options_.unusual_for;
  if (already) return;
  told_.add();
  set_figure(now);
  log_.warn("unusual_caller", {{"caller", key}, {"odd", score.odd}, {"requests", score.all}});
}

bool Callers::is_unusual(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  return place != places_.end() && clock_.now() < place->second->score.unusual_until;
}

void Callers::refresh_figures() {
  std::lock_guard lock(mutex_);
  set_figure(clock_.now());
}

void Callers::set_figure(Time now) {
  unusual_.set(static_cast<double>(std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return now < entry.score.unusual_until;
  })));
}

}  // namespace holdfast::serve
