#include "serve/breaker.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

// One that tries and never says how it ended is given up.
constexpr std::chrono::milliseconds try_lasts{120'000};

}  // namespace

Breakers::Breakers(BreakerOptions options, const Clock& clock, Metrics& metrics)
    : options_(options),
      clock_(clock),
      open_(metrics.gauge("holdfast_serve_breakers", "Circuit breakers of endpoints that are not closed.",
                          {{"state", "open"}})),
      half_open_(metrics.gauge("holdfast_serve_breakers",
                               "Circuit breakers of endpoints that are not closed.",
                               {{"state", "half_open"}})),
      opened_(metrics.counter("holdfast_serve_breakers_opened_total",
                              "How often an endpoint failed too often in a row.")) {}

BreakerState Breakers::state_of(const Breaker& breaker) const {
  if (breaker.open_for.count() == 0) return BreakerState::closed;
  return clock_.now() < breaker.open_until ? BreakerState::open : BreakerState::half_open;
}

void Breakers::show() const {
  int open = 0, half = 0;
  for (const auto& [name, breaker] : breakers_) {
    const BreakerState state = state_of(breaker);
    open += state == BreakerState::open ? 1 : 0;
    half += state == BreakerState::half_open ? 1 : 0;
  }
  open_.set(open);
  half_open_.set(half);
}

bool Breakers::admits(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = breakers_.find(name);
  if (found == breakers_.end()) return true;
  Breaker& breaker = found->second;
  switch (state_of(breaker)) {
    case BreakerState::closed:
      return true;
    case BreakerState::open:
      return false;
    case BreakerState::half_open:
      break;
  }
  if (breaker.tried_at.count() >= 0 && clock_.now() < breaker.tried_at + try_lasts) return false;
  breaker.tried_at = clock_.now();
  show();
  return true;
}

void Breakers::succeeded(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (breakers_.erase(name) > 0) show();
}

void Breakers::failed(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (!breakers_.contains(name) && breakers_.size() >= options_.kept_max) return;
  Breaker& breaker = breakers_[name];
  const bool tried = state_of(breaker) == BreakerState::half_open;
  breaker.tried_at = std::chrono::milliseconds{-1};
  if (!tried && ++breaker.failures < options_.failures_max) return;
  if (!tried && breaker.open_for.count() > 0) return;  // One that was under way when it opened.
  breaker.open_for = tried ? std::min(breaker.open_for * 2, options_.open_for_max) : options_.open_for;
  breaker.open_until = clock_.now() + breaker.open_for;
  opened_.add();
  show();
}

BreakerState Breakers::state(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = breakers_.find(name);
  return found == breakers_.end() ? BreakerState::closed : state_of(found->second);
}

}  // namespace holdfast::serve
