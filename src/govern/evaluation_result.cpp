#include "govern/evaluation_result.h"

#include <boost/json/value.hpp>
#include <cmath>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "measure/evaluation.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

json::value number(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

json::object interval(const measure::Interval& one) {
  return {{"value", number(one.estimate)}, {"low", number(one.low)}, {"high", number(one.high)}};
}

// "kind=edge" is "kind:edge" to the registry.
std::string slice_name(const std::string& slice) {
  std::string name = slice;
  if (const size_t mark = name.find('='); mark != std::string::npos) name[mark] = ':';
  return name;
}

json::object answer_json(const measure::LabelledRow& row, const measure::AnsweredRows& answers, size_t at) {
  json::object one{{"id", row.id},
                   {"label", row.label},
                   {"predicted", answers.predicted(at)},
                   {"confidence", answers.rows[at].confidence}};
  for (const auto& [name, value] : row.others) one.emplace(name, value);
  return one;
}

json::object figures(const measure::Evaluation& evaluation) {
  json::object metrics, slices;
  json::value ece;
  int64_t rows = 0;
  for (const measure::SliceScores& one : evaluation.slices) {
    json::object scores{{"accuracy", interval(one.accuracy)}, {"f1_macro", interval(one.macro_f1)}};
    if (one.slice.empty()) {
      metrics = std::move(scores);
      ece = number(one.ece);
      rows = static_cast<int64_t>(one.rows);
      continue;
    }
    scores["rows"] = static_cast<int64_t>(one.rows);
    scores["ece"] = number(one.ece);
    slices[slice_name(one.slice)] = std::move(scores);
  }
  metrics["ece"] = ece;
  metrics["latency_p50_ms"] = evaluation.latency_p50_milliseconds;
  metrics["latency_p95_ms"] = evaluation.latency_p95_milliseconds;
  return {{"rows", rows},
          {"metrics", std::move(metrics)},
          {"slices", std::move(slices)},
          {"ece", ece},
          {"latency_ms", json::object{{"p50", evaluation.latency_p50_milliseconds},
                                      {"p95", evaluation.latency_p95_milliseconds}}}};
}

}  // namespace

NewEvidence evaluation_evidence(const EvaluationRun& run, const std::vector<measure::LabelledRow>& rows,
                                const measure::AnsweredRows& answers) {
  const measure::Evaluation evaluation =
      measure::evaluate(answers.rows, answers.labels.size(), {}, {.seed = static_cast<uint64_t>(run.seed)});
  NewEvidence out{.kind = "evaluation"};
  std::string lines;
  for (size_t i = 0; i < rows.size(); ++i) {
    json::object one = answer_json(rows[i], answers, i);
    lines += codec::to_text(one) + "\n";
    one.emplace("ms", answers.rows[i].latency_milliseconds);
    out.rows.push_back(std::move(one));
  }
  out.body = {{"model", run.model},     {"revision", run.revision},
              {"dataset", run.dataset}, {"dataset_revision", run.dataset_revision},
              {"split", run.split},     {"criteria", run.criteria},
              {"began", run.began},     {"metric_code", run.metric_code},
              {"seed", run.seed},       {"answers_digest", codec::to_hex(codec::sha256(as_bytes(lines)))}};
  for (auto& [key, value] : figures(evaluation)) out.body[key] = std::move(value);
  return out;
}

}  // namespace holdfast::govern
