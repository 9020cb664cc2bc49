#include "measure/classification.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace holdfast::measure {
namespace {

double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

struct Marginals {
  std::vector<double> truth, predicted, right;
  double rows = 0;
};

Marginals marginals(std::span<const int> truth, std::span<const int> predicted, size_t classes) {
  CHECK(truth.size() == predicted.size());
  Marginals out{std::vector<double>(classes), std::vector<double>(classes), std::vector<double>(classes),
                static_cast<double>(truth.size())};
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto real = static_cast<size_t>(truth[i]), guess = static_cast<size_t>(predicted[i]);
    CHECK(truth[i] >= 0 && predicted[i] >= 0 && real < classes && guess < classes);
    out.truth[real] += 1;
    out.predicted[guess] += 1;
    if (real == guess) out.right[real] += 1;
  }
  return out;
}

double f1_of(double right, double truth, double predicted) { return ratio(2 * right, truth + predicted); }

}  // namespace

std::vector<size_t> confusion(std::span<const int> truth, std::span<const int> predicted, size_t classes) {
  CHECK(truth.size() == predicted.size());
  std::vector<size_t> counts(classes * classes);
  for (size_t i = 0; i < truth.size(); ++i) {
    const auto real = static_cast<size_t>(truth[i]), guess = static_cast<size_t>(predicted[i]);
    CHECK(truth[i] >= 0 && predicted[i] >= 0 && real < classes && guess < classes);
    ++counts[real * classes + guess];
  }
  return counts;
}

double accuracy(std::span<const int> truth, std::span<const int> predicted) {
  CHECK(truth.size() == predicted.size());
  size_t right = 0;
  for (size_t i = 0; i < truth.size(); ++i) right += truth[i] == predicted[i] ? 1 : 0;
  return ratio(static_cast<double>(right), static_cast<double>(truth.size()));
}

std::vector<ClassScore> class_scores(std::span<const int> truth, std::span<const int> predicted,
                                     size_t classes) {
  const Marginals all = marginals(truth, predicted, classes);
  std::vector<ClassScore> out(classes);
  for (size_t c = 0; c < classes; ++c)
    out[c] = {ratio(all.right[c], all.predicted[c]), ratio(all.right[c], all.truth[c]),
              f1_of(all.right[c], all.truth[c], all.predicted[c]), static_cast<size_t>(all.truth[c])};
  return out;
}

Scores average_scores(std::span<const int> truth, std::span<const int> predicted, size_t classes,
                      Average average) {
  const Marginals all = marginals(truth, predicted, classes);
  if (average == Average::micro) {
    const double share = accuracy(truth, predicted);
    return {share, share, share};
  }
  const auto scores = class_scores(truth, predicted, classes);
  Scores out;
  double weights = 0;
  for (size_t c = 0; c < classes; ++c) {
    if (all.truth[c] == 0 && all.predicted[c] == 0) continue;
    const double weight = average == Average::macro ? 1 : all.truth[c];
    out.precision += weight * scores[c].precision;
    out.recall += weight * scores[c].recall;
    out.f1 += weight * scores[c].f1;
    weights += weight;
  }
  return {ratio(out.precision, weights), ratio(out.recall, weights), ratio(out.f1, weights)};
}

double matthews(std::span<const int> truth, std::span<const int> predicted, size_t classes) {
  const Marginals all = marginals(truth, predicted, classes);
  double right = 0, together = 0, truth_squares = 0, predicted_squares = 0;
  for (size_t c = 0; c < classes; ++c) {
    right += all.right[c];
    together += all.truth[c] * all.predicted[c];
    truth_squares += all.truth[c] * all.truth[c];
    predicted_squares += all.predicted[c] * all.predicted[c];
  }
  const double squares = all.rows * all.rows;
  return ratio(right * all.rows - together,
               std::sqrt((squares - truth_squares) * (squares - predicted_squares)));
}

double brier(std::span<const int> happened, std::span<const double> probability) {
  CHECK(happened.size() == probability.size());
  double sum = 0;
  for (size_t i = 0; i < happened.size(); ++i) {
    const double distance = probability[i] - (happened[i] != 0 ? 1.0 : 0.0);
    sum += distance * distance;
  }
  return ratio(sum, static_cast<double>(happened.size()));
}

double brier(std::span<const int> truth, std::span<const double> probabilities, size_t classes) {
  CHECK(probabilities.size() == truth.size() * classes);
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i)
    for (size_t c = 0; c < classes; ++c) {
      const double distance =
          probabilities[i * classes + c] - (static_cast<size_t>(truth[i]) == c ? 1.0 : 0.0);
      sum += distance * distance;
    }
  return ratio(sum, static_cast<double>(truth.size()));
}

Calibration calibration(std::span<const double> confidence, std::span<const int> correct, size_t bins) {
  CHECK(confidence.size() == correct.size() && bins > 0);
  std::vector<double> rows(bins), sure(bins), right(bins);
  for (size_t i = 0; i < confidence.size(); ++i) {
    const double share = std::clamp(confidence[i], 0.0, 1.0) * static_cast<double>(bins);
    // A confidence on an edge is of the bin below it.
    const size_t bin = std::min(bins - 1, static_cast<size_t>(std::max(0.0, std::ceil(share) - 1)));
    rows[bin] += 1;
    sure[bin] += confidence[i];
    right[bin] += correct[i] != 0 ? 1 : 0;
  }
  Calibration out;
  const auto count = static_cast<double>(confidence.size());
  for (size_t bin = 0; bin < bins; ++bin) {
    if (rows[bin] == 0) continue;
    const double gap = std::fabs(right[bin] - sure[bin]) / rows[bin];
    out.expected += gap * rows[bin] / count;
    out.greatest = std::max(out.greatest, gap);
    out.root_mean_square += gap * gap * rows[bin] / count;
  }
  out.root_mean_square = std::sqrt(out.root_mean_square);
  return out;
}

}  // namespace holdfast::measure
