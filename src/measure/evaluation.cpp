#include "measure/evaluation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "measure/classification.h"
#include "measure/margin.h"

namespace holdfast::measure {
namespace {

using Rows = std::vector<const EvaluatedRow*>;

std::vector<int> truths(const Rows& rows) {
  std::vector<int> out;
  for (const EvaluatedRow* row : rows) out.push_back(row->truth);
  return out;
}

std::vector<int> predictions(const Rows& rows) {
  std::vector<int> out;
  for (const EvaluatedRow* row : rows) out.push_back(row->predicted);
  return out;
}

Interval accuracy_of(const Rows& rows, const BootstrapOptions& options) {
  std::vector<double> right;
  for (const EvaluatedRow* row : rows) right.push_back(row->truth == row->predicted ? 1 : 0);
  return bootstrap_mean(right, options);
}

Interval macro_f1_of(const Rows& rows, size_t classes, const BootstrapOptions& options) {
  const std::vector<int> truth = truths(rows), predicted = predictions(rows);
  const auto statistic = [&](std::span<const size_t> picked) {
    std::vector<int> a, b;
    a.reserve(picked.size());
    b.reserve(picked.size());
    for (const size_t row : picked) {
      a.push_back(truth[row]);
      b.push_back(predicted[row]);
    }
    return average_scores(a, b, classes, Average::macro).f1;
  };
  return bootstrap(rows.size(), statistic, options);
}

double ece_of(const Rows& rows) {
  std::vector<double> confidence;
  std::vector<int> right;
  for (const EvaluatedRow* row : rows) {
    confidence.push_back(row->confidence);
    right.push_back(row->truth == row->predicted ? 1 : 0);
  }
  return calibration(confidence, right).expected;
}

double latency_of(const Rows& rows, double share) {
  std::vector<double> all;
  for (const EvaluatedRow* row : rows) all.push_back(row->latency_milliseconds);
  return all.empty() ? 0 : quantile(std::move(all), share);
}

Rows slice_of(const std::vector<EvaluatedRow>& rows, const std::string& slice) {
  Rows out;
  const size_t mark = slice.find('=');
  for (const EvaluatedRow& row : rows) {
    if (slice.empty()) {
      out.push_back(&row);
    } else if (mark != std::string::npos) {
      const auto found = row.slices.find(slice.substr(0, mark));
      if (found != row.slices.end() && found->second == slice.substr(mark + 1)) out.push_back(&row);
    }
  }
  return out;
}

std::optional<Interval> metric_of(const std::string& metric, const Rows& rows, size_t classes,
                                  const BootstrapOptions& options) {
  const auto alone = [](double value) { return Interval{value, value, value}; };
  if (metric == "accuracy") return accuracy_of(rows, options);
  if (metric == "macro_f1") return macro_f1_of(rows, classes, options);
  if (metric == "ece") return alone(ece_of(rows));
  if (metric == "latency_p50_ms") return alone(latency_of(rows, 0.5));
  if (metric == "latency_p95_ms") return alone(latency_of(rows, 0.95));
  return std::nullopt;
}

// Rows that a criterion needs before it decides.
size_t rows_needed(const Criterion& criterion, double estimate, double confidence) {
  size_t need = std::max<size_t>(criterion.rows_min, 1);
  const bool is_rate = criterion.metric == "accuracy" || criterion.metric == "macro_f1";
  if (criterion.margin <= 0 || !is_rate) return need;
  // Near 0 and 1 a handful of rows would look certain: the spread is taken no smaller than that of 5 % or 95
  // %.
  const double rate = std::clamp(std::isnan(estimate) ? 0.5 : estimate, 0.05, 0.95);
  return std::max(need, rows_for_half_width(rate, criterion.margin, confidence));
}

Judgement judge(const Criterion& criterion, const std::vector<EvaluatedRow>& all, size_t classes,
                const BootstrapOptions& options) {
  Judgement out;
  out.criterion = criterion;
  const Rows rows = slice_of(all, criterion.slice);
  out.rows = rows.size();
  const auto value = metric_of(criterion.metric, rows, classes, options);
  if (!value) {
    out.verdict = Verdict::failed;
    out.reason = "there is no metric '" + criterion.metric + "'";
    return out;
  }
  out.value = *value;
  const size_t need = rows_needed(criterion, rows.empty() ? NAN : value->estimate, options.confidence);
  if (rows.size() < need) {
    out.rows_missing = need - rows.size();
    out.reason = "waiting: needs " + std::to_string(out.rows_missing) + " more rows";
    return out;
  }
  const bool least = criterion.bound == Bound::at_least;
  const double seen = criterion.margin > 0 ? (least ? value->low : value->high) : value->estimate;
  const double reach = least ? criterion.limit - criterion.margin : criterion.limit + criterion.margin;
  const bool holds = least ? seen >= reach : seen <= reach;
  out.verdict = holds ? Verdict::passed : Verdict::failed;
  out.reason = std::string(verdict_name(out.verdict));
  return out;
}

Verdict worse(Verdict left, Verdict right) {
  if (left == Verdict::failed || right == Verdict::failed) return Verdict::failed;
  return left == Verdict::waiting || right == Verdict::waiting ? Verdict::waiting : Verdict::passed;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::waiting:
      return "waiting";
  }
  return "waiting";
}

Evaluation evaluate(const std::vector<EvaluatedRow>& rows, size_t classes,
                    const std::vector<Criterion>& criteria, const BootstrapOptions& options) {
  Evaluation out;
  std::set<std::string> names = {""};
  for (const EvaluatedRow& row : rows)
    for (const auto& [key, value] : row.slices) names.insert(key + "=" + value);
  for (const std::string& name : names) {
    const Rows part = slice_of(rows, name);
    out.slices.push_back(
        {name, part.size(), accuracy_of(part, options), macro_f1_of(part, classes, options), ece_of(part)});
  }
  const Rows all = slice_of(rows, "");
  out.latency_p50_milliseconds = latency_of(all, 0.5);
  out.latency_p95_milliseconds = latency_of(all, 0.95);
  for (const Criterion& criterion : criteria) {
    out.judgements.push_back(judge(criterion, rows, classes, options));
    out.verdict = worse(out.verdict, out.judgements.back().verdict);
  }
  return out;
}

}  // namespace holdfast::measure
