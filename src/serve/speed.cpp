#include "serve/speed.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace holdfast::serve {
namespace {

constexpr size_t marked_again = 8;
constexpr double far_off = 6;  // Of the median of how far off they are.
// Measures differ by so much of their mean at least, however alike a few of them were.
constexpr double error_least = 0.05;
// As if the costs had differed by so much of their mean: where they did not, nothing is known of the slope.
constexpr double spread_least = 0.01;
constexpr double doubt = 4;  // Standard errors that an estimate is not held to.
constexpr double most_seconds = 1e6, cost_most = 1e12;

std::optional<std::chrono::nanoseconds> as_time(double seconds) {
  const double bounded = seconds > 0 ? std::min(seconds, most_seconds) : 0;
  return std::chrono::microseconds(std::llround(bounded * 1e6));
}

double median(std::vector<double>& of) {
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  std::nth_element(of.begin(), middle, of.end());
  return *middle;
}

}  // namespace

void Speed::measured(double cost, std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  if (!(cost > 0 && cost <= cost_most && seconds >= 0)) return;
  measures_[next_] = {.cost = cost, .seconds = seconds};
  const bool usual = count_ == kept && is_usual(measures_[next_]);
  next_ = (next_ + 1) % kept;
  count_ = std::min(count_ + 1, kept);
  // Who is an outlier is found by comparing all with all; one that is like the others changes little of that.
  if (!usual || ++unmarked_ == marked_again) {
    mark_outliers();
    unmarked_ = 0;
  }
  if (has_changed()) {
    // Others have taken the worker's cores, or have left them: what was before says nothing any more.
    std::array<Measure, lasting> last{};
    for (size_t back = 0; back < lasting; ++back) last[lasting - 1 - back] = newest(back);
    std::copy(last.begin(), last.end(), measures_.begin());
    next_ = count_ = lasting;
    mark_outliers();
  }
  line_ = fit();
}

bool Speed::is_usual(const Measure& measure) const {
  return std::abs(measure.seconds - (line_.seconds + line_.slope * (measure.cost - line_.cost))) <=
         line_.error;
}

const Speed::Measure& Speed::newest(size_t back) const { return measures_[(next_ + kept - 1 - back) % kept]; }

// Whether the last few were all far off, and to the same side.
bool Speed::has_changed() const {
  if (count_ <= 2 * lasting) return false;
  size_t slower = 0, faster = 0;
  for (size_t back = 0; back < lasting; ++back) {
    const Measure& one = newest(back);
    if (!one.outlier) return false;
    (one.seconds > line_.seconds + line_.slope * (one.cost - line_.cost) ? slower : faster) += 1;
  }
  return slower == lasting || faster == lasting;
}

// A start, a page that comes from the disk, a neighbour: they say nothing of the next batch. Found by
// medians, which a quarter of such measures does not move: of the slopes between any two, and of what is left
// then.
void Speed::mark_outliers() {
  for (Measure& one : measures_) one.outlier = false;
  if (count_ <= needed) return;
  std::vector<double> all;
  all.reserve(count_ * count_ / 2);
  for (size_t i = 0; i < count_; ++i)
    for (size_t j = 0; j < i; ++j)
      if (measures_[i].cost != measures_[j].cost)
        all.push_back((measures_[i].seconds - measures_[j].seconds) /
                      (measures_[i].cost - measures_[j].cost));
  const double slope = all.empty() ? 0 : std::max(median(all), 0.0);
  const auto rest = [&](const Measure& one) { return one.seconds - slope * one.cost; };
  all.clear();
  for (size_t i = 0; i < count_; ++i) all.push_back(rest(measures_[i]));
  const double middle = median(all);
  for (double& one : all) one = std::abs(one - middle);
  const double usual = median(all);
  for (size_t i = 0; i < count_; ++i)
    measures_[i].outlier =
        std::abs(rest(measures_[i]) - middle) > far_off * usual + error_least * measures_[i].seconds;
}

Speed::Line Speed::fit() const {
  Line line;
  for (size_t i = 0; i < count_; ++i) {
    if (measures_[i].outlier) continue;
    line.cost += measures_[i].cost;
    line.seconds += measures_[i].seconds;
    ++line.count;
  }
  line.cost /= line.count;
  line.seconds /= line.count;
  double together = 0, seconds = 0;
  for (size_t i = 0; i < count_; ++i) {
    if (measures_[i].outlier) continue;
    const double cost = measures_[i].cost - line.cost, took = measures_[i].seconds - line.seconds;
    line.spread += cost * cost;
    together += cost * took;
    seconds += took * took;
  }
  // Neither a batch nor its size takes less than nothing; where sizes did not differ, half of it is size.
  const double steepest = line.seconds / line.cost, known = line.spread,
               guess = spread_least * line.cost * line.cost;
  line.slope = std::clamp((together + guess * steepest / 2) / (known + guess), 0.0, steepest);
  const double rest = seconds - 2 * line.slope * together + line.slope * line.slope * known;
  line.error = std::max(std::sqrt(std::max(rest, 0.0) / line.count), error_least * line.seconds);
  line.spread += guess;
  return line;
}

std::optional<std::chrono::nanoseconds> Speed::expected(double batches, double cost) const {
  if (count_ < needed) return std::nullopt;
  if (!(batches > 0)) return as_time(0);
  return as_time(batches * (line_.seconds - line_.slope * line_.cost) + line_.slope * cost);
}

std::optional<std::chrono::nanoseconds> Speed::at_least(double batches, double cost) const {
  if (count_ < needed) return std::nullopt;
  if (!(batches > 0)) return as_time(0);
  const double one = cost / batches, away = one - line_.cost;
  const double guess = line_.seconds + line_.slope * away;
  const double error = line_.error * std::sqrt(1 / line_.count + away * away / line_.spread);
  const double least = line_.seconds * std::min(1.0, one / line_.cost);
  return as_time(batches * std::min(guess, std::max(guess - doubt * error, least)));
}

}  // namespace holdfast::serve
