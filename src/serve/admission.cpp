#include "serve/admission.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

using std::chrono::nanoseconds;
using Time = std::optional<nanoseconds>;

Time times(const Time& time, double factor) {
  constexpr double most = 1e18;
  if (!time) return time;
  return nanoseconds(static_cast<int64_t>(std::min(static_cast<double>(time->count()) * factor, most)));
}

Time plus(const Time& a, const Time& b) {
  if (!a || !b) return std::nullopt;
  return *a + *b;
}

// Whether a forecast is more than the least that may be.
bool is_sure(const Time& proven, const Time& likely) {
  constexpr double most = 1.5;
  return proven && likely &&
         static_cast<double>(likely->count()) <= most * static_cast<double>(proven->count());
}

// Of how many batches so much is worked off, each of which is half of what waits then.
double batches_of(const SlotOptions& options, double cost, double slices) {
  constexpr double most = 1'000;
  double count = 0;
  for (double left = cost; left > 0 && count < most; ++count)
    left -= std::clamp(left / 2, options.batch_tokens_min, options.batch_tokens_max);
  return std::max(count, slices / static_cast<double>(std::max<size_t>(options.batch_inputs_max, 1)));
}

}  // namespace

Forecast forecast(const SlotOptions& options, const Speed& speed, const BatchesAhead& ahead) {
  const double before = batches_of(options, ahead.cost, ahead.slices);
  const double all = batches_of(options, ahead.cost + ahead.own, ahead.slices + 1);
  const double share = 1 / static_cast<double>(std::max<size_t>(ahead.workers, 1));
  Forecast out;
  out.turn = times(plus(speed.at_least(before, ahead.cost), ahead.running), share);
  out.whole = times(plus(speed.at_least(all, ahead.cost + ahead.own), ahead.running), share);
  // Its own part is one worker's.
  if (const Time own = speed.at_least(1, ahead.own); own && out.whole) out.whole = std::max(*out.whole, *own);
  out.likely = times(plus(speed.expected(before, ahead.cost), ahead.running), share);
  // Batches are many and soon over, so that what came of the last ones holds for the next.
  out.sure = out.whole.has_value();
  return out;
}

Forecast forecast(const SlotOptions& options, const Speed& speed, double at_once, const AnswersAhead& ahead) {
  const auto workers = static_cast<double>(std::max<size_t>(ahead.workers, 1));
  const double places = workers * static_cast<double>(std::max<size_t>(options.writing_max, 1));
  const double others = static_cast<double>(ahead.writing) + ahead.answers;
  // Where more are written at once than were measured, each takes as long at least; where fewer are, at least
  // its share of that.
  const double together = std::min(at_once, std::min(others + 1, places) / workers);
  const double mean = ahead.answers > 0 ? ahead.cost / ahead.answers : ahead.own;
  const double places_short = std::max(others + 1 - places, 0.0);
  const auto wait = [&](const Time& one) { return times(one, together * places_short / places); };
  Forecast out;
  out.turn = wait(speed.at_least(1, mean));
  out.whole = plus(out.turn, times(speed.at_least(1, ahead.own), together));
  out.likely = wait(speed.expected(1, mean));
  out.sure = out.whole && is_sure(speed.at_least(1, ahead.own), speed.expected(1, ahead.own));
  return out;
}

bool Crowd::lets_in(std::chrono::milliseconds now, nanoseconds proven, nanoseconds likely,
                    std::chrono::milliseconds most) {
  const nanoseconds wait = crowded_ ? likely : proven;
  const auto lasts = [&](std::optional<std::chrono::milliseconds>& since) {
    if (!since || *since > now) since = now;
    return now - *since >= lasting;
  };
  if (wait > most) {
    short_since_.reset();
    crowded_ = crowded_ || lasts(long_since_);
    return !crowded_ && wait <= std::max(burst * most, burst_least);
  }
  if (!crowded_) {
    long_since_.reset();
  } else if (wait > most / 2) {
    short_since_.reset();
  } else if (lasts(short_since_)) {
    crowded_ = false;
    long_since_.reset();
  }
  return true;
}

}  // namespace holdfast::serve
