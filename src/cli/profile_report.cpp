#include "cli/profile_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/text_table.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

struct Total {
  std::string name;
  double seconds = 0, operations = 0;
  size_t weight_bytes = 0;
};

std::string in_part(const StepTime& step, std::string name) {
  return step.part.empty() ? name : fmt::format("{} {}", step.part, name);
}

std::string layer_name(const StepTime& step) {
  return in_part(step, step.in_layer() ? std::to_string(step.layer) : "outside");
}

// Steps of one name together, in the order in which the first came.
template <class Name>
std::vector<Total> totals(const CallProfile& call, Name name) {
  std::vector<Total> out;
  for (const StepTime& step : call.steps) {
    const std::string own = name(step);
    auto at = std::find_if(out.begin(), out.end(), [&](const Total& total) { return total.name == own; });
    if (at == out.end()) at = out.insert(out.end(), {own});
    at->seconds += step.seconds;
    at->operations += step.operations;
    at->weight_bytes += step.weight_bytes;
  }
  return out;
}

std::string table(const CallProfile& call, std::string heading, const std::vector<Total>& totals) {
  std::vector<std::vector<std::string>> rows = {{std::move(heading), "ms", "share", "of peak", "weights"}};
  if (call.reading > 0) rows[0].push_back("read at");
  const double all = std::max(call.seconds(), 1e-12);
  for (const Total& total : totals) {
    const double seconds = std::max(total.seconds, 1e-12);
    std::vector<std::string> row = {
        total.name, fmt::format("{:.3f}", total.seconds * 1e3),
        fmt::format("{:.1f} %", 100 * total.seconds / all),
        total.operations > 0 ? fmt::format("{:.1f} %", 100 * total.operations / seconds / call.peak) : "",
        total.weight_bytes > 0 ? fmt::format("{:.2f} MB", static_cast<double>(total.weight_bytes) / 1e6)
                               : ""};
    if (call.reading > 0)
      row.push_back(total.weight_bytes > 0
                        ? fmt::format("{:.1f} GB/s", static_cast<double>(total.weight_bytes) / seconds / 1e9)
                        : "");
    rows.push_back(std::move(row));
  }
  return text_table(rows);
}

std::string call_text(const CallProfile& call) {
  std::string out = fmt::format("{}; {:.1f} {}/s\npeak of registers {:.0f} G operations/s", call.title,
                                call.items / std::max(call.seconds(), 1e-12), call.unit, call.peak / 1e9);
  if (call.reading > 0) out += fmt::format("; memory is read at {:.1f} GB/s", call.reading / 1e9);
  if (call.cache_bytes > 0) out += fmt::format("; keys and values: {} bytes a token", call.cache_bytes);
  std::vector<Total> steps =
      totals(call, [](const StepTime& step) { return in_part(step, std::string(step.step)); });
  Total all{"all"};
  for (const Total& step : steps) {
    all.seconds += step.seconds;
    all.operations += step.operations;
    all.weight_bytes += step.weight_bytes;
  }
  steps.push_back(std::move(all));
  return out + "\n\n" + table(call, "operation", steps) + "\n" +
         table(call, "layer", totals(call, layer_name));
}

json::object call_json(const CallProfile& call) {
  json::array steps;
  for (const StepTime& step : call.steps) {
    json::object one;
    if (!step.part.empty()) one["part"] = std::string(step.part);
    if (step.in_layer()) one["layer"] = step.layer;
    one["operation"] = std::string(step.step);
    one["seconds"] = step.seconds;
    one["operations"] = step.operations;
    one["share_of_peak"] = step.operations / std::max(step.seconds, 1e-12) / call.peak;
    one["weight_bytes"] = step.weight_bytes;
    steps.push_back(std::move(one));
  }
  json::object out{{"title", call.title},
                   {"peak_operations_per_second", call.peak},
                   {"seconds", call.seconds()},
                   {fmt::format("{}_per_second", call.unit), call.items / std::max(call.seconds(), 1e-12)},
                   {"weight_bytes", call.weight_bytes()}};
  if (call.reading > 0) out["read_bytes_per_second"] = call.reading;
  if (call.cache_bytes > 0) out["cache_bytes_per_token"] = call.cache_bytes;
  out["steps"] = std::move(steps);
  return out;
}

}  // namespace

std::string profile_text(const std::vector<CallProfile>& calls) {
  std::string out;
  for (const CallProfile& call : calls) {
    if (!out.empty()) out += "\n";
    out += call_text(call);
  }
  return out;
}

std::string profile_json(const std::vector<CallProfile>& calls) {
  json::object out = call_json(calls.front());
  if (calls.size() > 1) out["writing"] = call_json(calls[1]);
  return codec::to_text(out) + "\n";
}

}  // namespace holdfast::cli
