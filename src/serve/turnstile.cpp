#include "serve/turnstile.h"

#include <fmt/format.h>

#include <algorithm>

#include "serve/work.h"

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds retry_unknown{1'000};  // Before any speed was measured.
// So many times as long as it takes itself may a request wait, whatever the bound.
constexpr int patience = 4;

milliseconds whole_milliseconds(nanoseconds time) { return std::chrono::duration_cast<milliseconds>(time); }

}  // namespace

Status Turnstile::let_in(const Asker& asker, const Forecast& ahead, const Comer& comer) {
  const auto told = [&](Error error) {
    if (asker.work != nullptr)
      asker.work->retry_after = ahead.likely ? whole_milliseconds(*ahead.likely) : retry_unknown;
    return error;
  };
  const auto left = comer.deadline - std::min(clock_.now(), comer.deadline);
  if (left.count() == 0) return told(fail(Reason::timed_out, "the deadline has passed"));
  if (comer.full) return told(fail(Reason::queue_full, "the model has as many requests waiting as it takes"));
  // Where nothing else is done it may try, or a speed that is no longer true would stand for ever.
  const auto longest = [&] {
    return Foresight::factor_max * std::chrono::duration<double, std::milli>(*ahead.whole).count();
  };
  // No forecast is off by more than that: where it fits all the same, nobody need look how far they were.
  if (comer.others && ahead.whole && longest() > static_cast<double>(left.count())) {
    // How far sure forecasts were off says nothing of one that is only the least that it may take; what runs
    // now does.
    const double longer = std::max(ahead.sure ? foresight_.factor(clock_.now()) : 1.0, comer.overdue);
    const double takes = longer * std::chrono::duration<double, std::milli>(*ahead.whole).count();
    if (takes > static_cast<double>(left.count()))
      return told(
          fail(Reason::queue_full,
               fmt::format("the deadline cannot be kept: {} ms are left, and it takes about {:.0f} ms",
                           left.count(), takes)));
  }
  auto most = asker.queue_delay_max;
  // What takes long itself may wait for longer: a few neighbours are no crowd.
  if (ahead.turn && ahead.whole)
    most = std::max(most, patience * whole_milliseconds(*ahead.whole - *ahead.turn));
  if (asker.queue_delay_max.count() > 0 && ahead.turn &&
      !crowd_.lets_in(clock_.now(), *ahead.turn, ahead.likely.value_or(*ahead.turn), most) && !comer.is_first)
    return told(fail(Reason::queue_full,
                     fmt::format("too many requests wait: the turn of another one would come in about {} ms",
                                 whole_milliseconds(*ahead.turn).count())));
  return Done{};
}

}  // namespace holdfast::serve
