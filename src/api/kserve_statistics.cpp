#include "api/kserve_statistics.h"

#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>
#include <map>

#include "observe/endpoint_figures.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

struct Spent {
  double count = 0, seconds = 0;

  json::object view() const {
    return {{"count", static_cast<uint64_t>(std::llround(count))},
            {"ns", static_cast<uint64_t>(std::llround(seconds * 1e9))}};
  }
};

struct Version {
  double inputs = 0, failed = 0;
  Spent success;
  std::map<std::string, Spent, std::less<>> stages;
};

// Our stage by that protocol's name for it.
constexpr std::pair<const char*, const char*> stages[] = {{"queue", "queue"},
                                                          {"tokenize", "compute_input"},
                                                          {"model", "compute_infer"},
                                                          {"post", "compute_output"}};

void add(const observe::FigureSample& sample, std::map<std::string, Version>& versions) {
  double value = 0;
  std::from_chars(sample.value.data(), sample.value.data() + sample.value.size(), value);
  Version& version = versions[std::string(sample.label("version"))];
  if (sample.name == "holdfast_serve_requests_total")
    (sample.label("outcome") == "answered" ? version.success.count : version.failed) += value;
  else if (sample.name == "holdfast_serve_items_total")
    version.inputs += value;
  else if (sample.name == "holdfast_serve_request_duration_seconds_sum")
    version.success.seconds += value;
  else if (sample.name == "holdfast_serve_stage_duration_seconds_sum")
    version.stages[std::string(sample.label("stage"))].seconds += value;
  else if (sample.name == "holdfast_serve_stage_duration_seconds_count")
    version.stages[std::string(sample.label("stage"))].count += value;
}

}  // namespace

json::array kserve_statistics(std::string_view figures, const std::string& model) {
  std::map<std::string, Version> versions;
  while (!figures.empty()) {
    const size_t end = figures.find('\n');
    if (const auto sample = observe::read_figure(figures.substr(0, end))) add(*sample, versions);
    figures.remove_prefix(end == std::string_view::npos ? figures.size() : end + 1);
  }
  json::array out;
  for (const auto& [name, version] : versions) {
    json::object inner{
        {"success", version.success.view()},
        {"fail", json::object{{"count", static_cast<uint64_t>(std::llround(version.failed))}}}};
    for (const auto& [ours, theirs] : stages) {
      const auto stage = version.stages.find(ours);
      inner[theirs] = (stage == version.stages.end() ? Spent{} : stage->second).view();
    }
    out.push_back(json::object{{"name", model},
                               {"version", name},
                               {"inference_count", static_cast<uint64_t>(std::llround(version.inputs))},
                               {"inference_stats", std::move(inner)}});
  }
  return out;
}

}  // namespace holdfast::api
