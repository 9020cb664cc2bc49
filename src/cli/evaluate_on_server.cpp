#include "cli/evaluate_on_server.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <thread>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/progress.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds step{200};

double number_or(const json::object& job, std::string_view key, double otherwise) {
  const auto number = codec::json_number_if(job, key);
  return number.ok() ? number.value().value_or(otherwise) : otherwise;
}

std::string place_of(const json::object& job) {
  std::string place =
      fmt::format("{:.0f} of {:.0f} rows", number_or(job, "rows_done", 0), number_or(job, "rows_total", 0));
  if (const double rate = number_or(job, "rows_per_second", 0); rate > 0)
    place += fmt::format(", {:.1f} a second, {:.0f} s left", rate, number_or(job, "seconds_left", 0));
  return place;
}

Result<std::string> revision_of(const Arguments& arguments) {
  const std::string_view named = arguments.value_or("--data", "");
  const size_t mark = named.find('@');
  if (named.empty()) return std::string("main");
  if (mark == std::string_view::npos)
    return fail(Reason::bad_request, "on the server, --data is REPO@REVISION: the record says which data");
  return std::string(named.substr(mark + 1));
}

}  // namespace

Result<boost::json::value> evaluate_on_server(World& world, const Arguments& arguments,
                                              const std::string& release_path, int64_t seed) {
  TRY(const std::string revision, revision_of(arguments));
  const json::object wish{{"dataset_revision", revision}, {"seed", seed}};
  TRY(json::value job,
      ask_json(world, arguments, {"POST", release_path + "/evaluations", codec::to_text(wish)}));
  TRY(const int64_t id, codec::json_integer(job.get_object(), "id"));
  Progress progress(world, fmt::format("evaluation {}", id));
  while (true) {
    TRY(const std::string_view state, codec::json_text(job.get_object(), "state"));
    if (state == "done") break;
    if (state != "waiting" && state != "running") {
      progress.end();
      TRY(const auto why, codec::json_text_if(job.get_object(), "why"));
      return fail(Reason::dependency_failed,
                  fmt::format("evaluation {} {}: {}", id, state, why.value_or("nothing is kept of it")));
    }
    progress.say(place_of(job.get_object()));
    std::this_thread::sleep_for(step);
    TRY(job, ask_json(world, arguments, {.path = fmt::format("/api/registry/evaluations/{}", id)}));
  }
  progress.end();
  TRY(const int64_t evidence, codec::json_integer(job.get_object(), "evidence"));
  return ask_json(world, arguments, {.path = fmt::format("/api/registry/evidence/{}", evidence)});
}

}  // namespace holdfast::cli
