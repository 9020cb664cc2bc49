#include "cli/evaluation_files.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr size_t criteria_max = 1000;

Result<measure::Criterion> parse_criterion(const json::value& value) {
  if (!value.is_object()) return fail(Reason::bad_request, "a criterion is an object");
  const json::object& object = value.get_object();
  for (const auto& [key, unused] : object)
    if (key != "metric" && key != "slice" && key != "at_least" && key != "at_most" && key != "margin" &&
        key != "rows_min")
      return fail(Reason::bad_request, fmt::format("a criterion has no '{}'", std::string(key)));
  measure::Criterion out;
  TRY(out.metric, codec::json_text(object, "metric"));
  TRY(const auto slice, codec::json_text_if(object, "slice"));
  out.slice = slice.value_or("");
  TRY(const auto least, codec::json_number_if(object, "at_least"));
  TRY(const auto most, codec::json_number_if(object, "at_most"));
  if (least.has_value() == most.has_value())
    return fail(Reason::bad_request,
                fmt::format("the criterion on {} needs either at_least or at_most", out.metric));
  out.bound = least ? measure::Bound::at_least : measure::Bound::at_most;
  out.limit = least ? *least : *most;
  TRY(const auto margin, codec::json_number_if(object, "margin"));
  out.margin = margin.value_or(0);
  if (out.margin < 0 || out.margin >= 1) return fail(Reason::bad_request, "margin is from 0 to below 1");
  TRY(const auto rows, codec::json_integer_if(object, "rows_min"));
  if (rows.value_or(0) < 0) return fail(Reason::bad_request, "rows_min is not negative");
  out.rows_min = static_cast<size_t>(rows.value_or(0));
  return out;
}

json::value number(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

json::object interval_json(const measure::Interval& interval) {
  return {
      {"value", number(interval.estimate)}, {"low", number(interval.low)}, {"high", number(interval.high)}};
}

std::string digest_of(const json::object& result) {
  const std::string text = codec::to_text(result);
  return "sha256:" + codec::to_hex(codec::sha256(as_bytes(text)));
}

}  // namespace

Result<std::vector<measure::Criterion>> parse_criteria(std::string_view text) {
  TRY(const json::object object, codec::parse_json_object(text));
  TRY(const json::array* all, codec::json_array(object, "criteria"));
  if (all->empty() || all->size() > criteria_max)
    return fail(Reason::bad_request, "criteria holds 1 to 1000 criteria");
  std::vector<measure::Criterion> out;
  for (const json::value& one : *all) {
    TRY(measure::Criterion criterion, parse_criterion(one));
    out.push_back(std::move(criterion));
  }
  return out;
}

json::object evaluation_json(const measure::Evaluation& evaluation) {
  json::array slices, judgements;
  for (const measure::SliceScores& one : evaluation.slices)
    slices.push_back(json::object{{"slice", one.slice},
                                  {"rows", one.rows},
                                  {"accuracy", interval_json(one.accuracy)},
                                  {"macro_f1", interval_json(one.macro_f1)},
                                  {"ece", number(one.ece)}});
  for (const measure::Judgement& one : evaluation.judgements)
    judgements.push_back(json::object{
        {"metric", one.criterion.metric},
        {"slice", one.criterion.slice},
        {one.criterion.bound == measure::Bound::at_least ? "at_least" : "at_most", one.criterion.limit},
        {"margin", one.criterion.margin},
        {"rows", one.rows},
        {"rows_missing", one.rows_missing},
        {"value", interval_json(one.value)},
        {"verdict", measure::verdict_name(one.verdict)},
        {"reason", one.reason}});
  return {{"verdict", measure::verdict_name(evaluation.verdict)},
          {"judgements", std::move(judgements)},
          {"slices", std::move(slices)},
          {"latency_ms", json::object{{"p50", evaluation.latency_p50_milliseconds},
                                      {"p95", evaluation.latency_p95_milliseconds}}}};
}

std::string with_digest(json::object result) {
  result.erase("digest");
  const std::string digest = digest_of(result);
  result["digest"] = digest;
  return codec::to_pretty_text(result);
}

Status check_digest(std::string_view text) {
  TRY(json::object result, codec::parse_json_object(text));
  TRY(const std::string_view said, codec::json_text(result, "digest"));
  const std::string digest(said);
  result.erase("digest");
  if (digest_of(result) != digest)
    return fail(Reason::data_corrupt, "the result is not what its digest says");
  return Done{};
}

}  // namespace holdfast::cli
