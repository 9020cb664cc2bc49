#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <thread>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/registry.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value, std::string_view key) {
  const json::value* found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  if (found == nullptr || found->is_null()) return "-";
  return found->is_string() ? std::string(found->get_string()) : codec::to_text(*found);
}

void show(World& world, const Arguments& arguments, const json::value& endpoint) {
  if (arguments.has("--json"))
    world.print(codec::to_text(endpoint) + "\n");
  else
    world.print(fmt::format("{} {} {} {}\n", text_of(endpoint, "id"), text_of(endpoint, "kind"),
                            text_of(endpoint, "state"), text_of(endpoint, "base_url")));
}

struct Place {
  std::string ns, name;
};
Result<Place> place_of(std::string_view id) {
  const size_t slash = id.find('/');
  if (slash == std::string_view::npos) return fail(Reason::bad_request, "an endpoint is NAMESPACE/NAME");
  return Place{std::string(id.substr(0, slash)), std::string(id.substr(slash + 1))};
}

// --model REPO[@REV], --record RECORD.
json::object target(const Arguments& arguments, const Place& place) {
  json::object body{{"name", place.name}};
  if (const auto record = arguments.value("--record")) body["record"] = *record;
  if (const auto model = arguments.value("--model")) {
    const size_t at = model->find('@');
    body["model"] = model->substr(0, at);
    if (at != std::string_view::npos) body["revision"] = model->substr(at + 1);
  }
  return body;
}

Result<int> create(World& world, const Arguments& arguments) {
  TRY(const Place place, place_of(arguments.positionals()[0]));
  TRY(const json::value made,
      ask_json(world, arguments,
               {"POST", "/api/endpoints/" + place.ns, codec::to_text(target(arguments, place))}));
  show(world, arguments, made);
  return exit_done;
}

Result<int> attach(World& world, const Arguments& arguments) {
  const auto name = arguments.value("--name");
  if (!name) return fail(Reason::bad_request, "--name NAMESPACE/NAME says what the endpoint is called");
  TRY(const Place place, place_of(*name));
  json::object body = target(arguments, place);
  body["url"] = arguments.positionals()[0];
  body["engine"] = arguments.value_or("--engine", "tei");
  if (const auto variable = arguments.value("--engine-token-env")) {
    const auto token = world.environment(std::string(*variable));
    if (!token) return fail(Reason::bad_request, fmt::format("the variable {} is not set", *variable));
    body["token"] = *token;
  }
  TRY(const json::value made,
      ask_json(world, arguments, {"POST", "/api/endpoints/" + place.ns, codec::to_text(body)}));
  show(world, arguments, made);
  return exit_done;
}

Result<int> list(World& world, const Arguments& arguments) {
  TRY(const json::value answer, ask_json(world, arguments, {.path = "/api/endpoints"}));
  TRY(const json::array* endpoints, codec::json_array(answer.get_object(), "endpoints"));
  if (arguments.has("--json"))
    world.print(codec::to_text(answer) + "\n");
  else
    for (const json::value& endpoint : *endpoints) show(world, arguments, endpoint);
  return exit_done;
}

Result<int> wait(World& world, const Arguments& arguments) {
  TRY(const auto span, parse_duration(arguments.value_or("--timeout", "60s")));
  const auto deadline = world.clock().now() + span;
  const std::string path = fmt::format("/api/endpoints/{}", arguments.positionals()[0]);
  while (true) {
    TRY(const json::value endpoint, ask_json(world, arguments, {.path = path}));
    if (text_of(endpoint, "state") == "running") {
      show(world, arguments, endpoint);
      return exit_done;
    }
    if (world.clock().now() >= deadline)
      return fail(Reason::timed_out,
                  fmt::format("it is {}: {}", text_of(endpoint, "state"), text_of(endpoint, "why")));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

Result<int> remove(World& world, const Arguments& arguments) {
  TRY(const json::value answer,
      ask_json(world, arguments, {"DELETE", fmt::format("/api/endpoints/{}", arguments.positionals()[0])}));
  world.print(arguments.has("--json") ? codec::to_text(answer) + "\n"
                                      : fmt::format("{} is deleted\n", text_of(answer, "deleted")));
  return exit_done;
}

constexpr FlagRow record_flag{"--record", "NS/NAME", "Whatever release of this record is live."};
constexpr FlagRow model_flag{"--model", "REPO[@REV]", "One revision of a model."};
constexpr FlagRow name_flag{"--name", "NS/NAME", "The endpoint's name."};
constexpr FlagRow engine_flag{"--engine", "KIND", "openai or tei [tei]."};
constexpr FlagRow engine_token_flag{"--engine-token-env", "VARIABLE", "Where the engine's own token stands."};
constexpr FlagRow timeout_flag{"--timeout", "SPAN", "How long to wait [60s]."};

}  // namespace

std::vector<Command> endpoint_commands() {
  return {
      client_command("endpoint create", "NS/NAME",
                     "Gives a record or a model's revision an address of its own.",
                     "holdfast endpoint create demo/support --record demo/support",
                     {{record_flag, model_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, create),
      client_command(
          "endpoint attach", "URL", "Puts an outside engine behind the same gate, canary and counters.",
          "holdfast endpoint attach http://10.0.0.7:8080 --name demo/support --model demo/intents@main",
          {{name_flag, record_flag, model_flag, engine_flag, engine_token_flag, endpoint_flag, token_flag,
            client_json_flag},
           1,
           1},
          attach),
      client_command("endpoint list", "", "Lists endpoints.", "holdfast endpoint list",
                     {{endpoint_flag, token_flag, client_json_flag}, 0, 0}, list),
      client_command("endpoint wait", "NS/NAME", "Waits until an endpoint answers.",
                     "holdfast endpoint wait demo/support",
                     {{timeout_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, wait),
      client_command("endpoint delete", "NS/NAME", "Deletes an endpoint.",
                     "holdfast endpoint delete demo/support",
                     {{endpoint_flag, token_flag, client_json_flag}, 1, 1}, remove),
  };
}

}  // namespace holdfast::cli
