#include "model/linear_head.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>

namespace holdfast::model {
namespace {

constexpr size_t memory_max = 10;  // Steps that L-BFGS remembers.
using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Softmax of one row's logits in place; gives the log of the sum of exponentials.
double softmax(std::span<double> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& one : logits) sum += one = std::exp(one - most);
  for (double& one : logits) one /= sum;
  return most + std::log(sum);
}

// Parameters are the weights [classes, width], then the bias.
class Objective {
 public:
  Objective(const LabelledFeatures& data, size_t classes, double penalty)
      : data_(data), classes_(classes), penalty_(penalty) {}

  size_t size() const { return classes_ * (data_.width + 1); }

  // Summed loss with the penalty; its gradient where asked for.
  double value(const Vector& at, Vector* gradient) const {
    if (gradient != nullptr) gradient->assign(size(), 0);
    double loss = 0;
    Vector logits(classes_);
    for (size_t row = 0; row < data_.rows(); ++row) {
      row_logits(at, row, logits);
      const double own = logits[static_cast<size_t>(data_.labels[row])];
      loss += softmax(logits) - own;
      if (gradient != nullptr) add_gradient(row, logits, *gradient);
    }
    for (size_t i = 0; i < classes_ * data_.width; ++i) {
      loss += penalty_ / 2 * at[i] * at[i];
      if (gradient != nullptr) (*gradient)[i] += penalty_ * at[i];
    }
    return loss;
  }

  // Mean loss without the penalty, and the share of rows that are right.
  std::pair<double, double> score(const Vector& at) const {
    double loss = 0, right = 0;
    Vector logits(classes_);
    for (size_t row = 0; row < data_.rows(); ++row) {
      row_logits(at, row, logits);
      const auto label = static_cast<size_t>(data_.labels[row]);
      const double own = logits[label];
      const auto best = static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      right += best == label ? 1 : 0;
      loss += softmax(logits) - own;
    }
    const auto rows = static_cast<double>(data_.rows());
    return {loss / rows, right / rows};
  }

 private:
  void row_logits(const Vector& at, size_t row, Vector& out) const {
    const float* features = data_.features.data() + row * data_.width;
    for (size_t c = 0; c < classes_; ++c) {
      const double* weights = at.data() + c * data_.width;
      double sum = at[classes_ * data_.width + c];
      for (size_t i = 0; i < data_.width; ++i) sum += weights[i] * static_cast<double>(features[i]);
      out[c] = sum;
    }
  }

  void add_gradient(size_t row, const Vector& probabilities, Vector& gradient) const {
    const float* features = data_.features.data() + row * data_.width;
    for (size_t c = 0; c < classes_; ++c) {
      const double error = probabilities[c] - (static_cast<size_t>(data_.labels[row]) == c ? 1.0 : 0.0);
      double* weights = gradient.data() + c * data_.width;
      for (size_t i = 0; i < data_.width; ++i) weights[i] += error * static_cast<double>(features[i]);
      gradient[classes_ * data_.width + c] += error;
    }
  }

  const LabelledFeatures& data_;
  size_t classes_;
  double penalty_;
};

// The direction of L-BFGS by its two loops (Nocedal and Wright, algorithm 7.4).
class History {
 public:
  void add(Vector step, Vector change) {
    const double product = dot(step, change);
    if (product <= 1e-12) return;
    pairs_.push_back({std::move(step), std::move(change), 1 / product});
    if (pairs_.size() > memory_max) pairs_.pop_front();
  }

  Vector direction(const Vector& gradient) const {
    Vector out = gradient;
    std::vector<double> factors(pairs_.size());
    for (size_t i = pairs_.size(); i-- > 0;) {
      factors[i] = pairs_[i].scale * dot(pairs_[i].step, out);
      for (size_t k = 0; k < out.size(); ++k) out[k] -= factors[i] * pairs_[i].change[k];
    }
    if (!pairs_.empty()) {
      const auto& last = pairs_.back();
      const double scale = 1 / (last.scale * dot(last.change, last.change));
      for (double& one : out) one *= scale;
    }
    for (size_t i = 0; i < pairs_.size(); ++i) {
      const double factor = factors[i] - pairs_[i].scale * dot(pairs_[i].change, out);
      for (size_t k = 0; k < out.size(); ++k) out[k] += factor * pairs_[i].step[k];
    }
    for (double& one : out) one = -one;
    return out;
  }
  bool empty() const { return pairs_.empty(); }

 private:
  struct Pair {
    Vector step, change;
    double scale;
  };
  std::deque<Pair> pairs_;
};

// A point along the direction that lowers the loss enough (Armijo), by halving; nullopt when none does.
struct Point {
  Vector at, gradient;
  double loss = 0;
};
std::optional<Point> step_along(const Objective& objective, const Point& from, const Vector& direction,
                                double length) {
  const double slope = dot(from.gradient, direction);
  if (slope >= 0) return std::nullopt;
  Point next;
  for (int halvings = 0; halvings < 40; ++halvings, length /= 2) {
    next.at = from.at;
    for (size_t i = 0; i < next.at.size(); ++i) next.at[i] += length * direction[i];
    next.loss = objective.value(next.at, &next.gradient);
    if (next.loss <= from.loss + 1e-4 * length * slope) return next;
  }
  return std::nullopt;
}

// Uniform numbers from the seed by SplitMix64: the same on every machine.
Vector start_of(size_t size, double spread, uint64_t seed) {
  uint64_t state = seed;
  Vector out(size);
  for (double& one : out) {
    uint64_t z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    one = (static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53 * 2 - 1) * spread;
  }
  return out;
}

Status check_rows(const LabelledFeatures& data, size_t classes, const char* what) {
  if (data.width == 0 || data.features.size() != data.rows() * data.width)
    return fail(Reason::bad_request, std::string(what) + " rows and their features do not fit");
  for (const int label : data.labels)
    if (label < 0 || static_cast<size_t>(label) >= classes)
      return fail(Reason::bad_request, std::string(what) + " rows have a label that is none of the classes");
  for (const float one : data.features)
    if (!std::isfinite(one))
      return fail(Reason::bad_request, std::string(what) + " rows have a feature that is no number");
  return Done{};
}

LinearHead head_of(const Vector& at, size_t width, size_t classes) {
  LinearHead out;
  out.width = width;
  out.classes = classes;
  const auto split = at.begin() + static_cast<std::ptrdiff_t>(width * classes);
  std::transform(at.begin(), split, std::back_inserter(out.weights),
                 [](double one) { return static_cast<float>(one); });
  std::transform(split, at.end(), std::back_inserter(out.bias),
                 [](double one) { return static_cast<float>(one); });
  return out;
}

}  // namespace

Result<TrainedHead> train_head(const LabelledFeatures& train, const LabelledFeatures& validation,
                               size_t classes, const HeadTraining& options) {
  if (classes < 2) return fail(Reason::bad_request, "training needs at least two classes");
  if (train.rows() == 0) return fail(Reason::bad_request, "there are no rows to train on");
  if (validation.rows() == 0)
    return fail(Reason::bad_request,
                "training is refused without validation rows: nothing would show overfitting");
  TRY_DONE(check_rows(train, classes, "training"));
  TRY_DONE(check_rows(validation, classes, "validation"));
  if (train.width != validation.width)
    return fail(Reason::bad_request, "training and validation features differ in width");

  const Objective objective(train, classes, options.penalty), judge(validation, classes, 0);
  Point now;
  now.at = start_of(objective.size(), options.start_spread, options.seed);
  now.loss = objective.value(now.at, &now.gradient);
  TrainedHead out;
  Vector best = now.at;
  std::tie(out.validation_loss, out.validation_accuracy) = judge.score(best);
  History history;
  for (size_t round = 1; round <= options.rounds_max; ++round) {
    const Vector direction = history.direction(now.gradient);
    const double first = history.empty() ? 1 / std::max(1.0, std::sqrt(dot(now.gradient, now.gradient))) : 1;
    auto next = step_along(objective, now, direction, first);
    if (!next) break;  // As low as the numbers allow.
    Vector step(next->at.size()), change(next->at.size());
    for (size_t i = 0; i < step.size(); ++i) {
      step[i] = next->at[i] - now.at[i];
      change[i] = next->gradient[i] - now.gradient[i];
    }
    history.add(std::move(step), std::move(change));
    const bool converged = now.loss - next->loss <= 1e-12 * std::max(1.0, now.loss);
    now = std::move(*next);
    if (const auto [loss, accuracy] = judge.score(now.at); loss < out.validation_loss) {
      out.validation_loss = loss;
      out.validation_accuracy = accuracy;
      out.rounds = round;
      best = now.at;
    }
    if (round - out.rounds >= options.patience) {
      out.stopped_early = true;
      break;
    }
    if (converged) break;
  }
  std::tie(out.train_loss, out.train_accuracy) = Objective(train, classes, 0).score(best);
  out.head = head_of(best, train.width, classes);
  return out;
}

std::vector<double> head_probabilities(const LinearHead& head, std::span<const float> features) {
  const size_t rows = head.width == 0 ? 0 : features.size() / head.width;
  std::vector<double> out(rows * head.classes);
  for (size_t row = 0; row < rows; ++row) {
    const std::span<double> logits(out.data() + row * head.classes, head.classes);
    for (size_t c = 0; c < head.classes; ++c) {
      double sum = static_cast<double>(head.bias[c]);
      for (size_t i = 0; i < head.width; ++i)
        sum += static_cast<double>(head.weights[c * head.width + i]) *
               static_cast<double>(features[row * head.width + i]);
      logits[c] = sum;
    }
    softmax(logits);
  }
  return out;
}

}  // namespace holdfast::model
