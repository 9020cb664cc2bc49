#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <thread>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/registry.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "codec/yaml.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr size_t file_bytes_max = 64 << 10;

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

Status read_count(const Arguments& arguments, std::string_view flag, const char* key, json::object& body) {
  const auto given = arguments.value(flag);
  if (!given) return Done{};
  int64_t count = 0;
  const auto [end, problem] = std::from_chars(given->data(), given->data() + given->size(), count);
  if (problem != std::errc() || end != given->data() + given->size())
    return fail(Reason::bad_request, fmt::format("{} is a whole number", flag));
  body[key] = count;
  return Done{};
}

// A YAML file says the same: name, model (REPO or REPO@REVISION) or record, min_replicas, max_replicas,
// scale_to_zero_after, queue_delay; of an outside engine url, engine and secret.
Result<json::object> body_of_file(std::string_view path) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string text, files.read(path, file_bytes_max));
  TRY(const json::value file, codec::parse_yaml(text));
  if (!file.is_object()) return fail(Reason::bad_request, "the file is no mapping");
  json::object body;
  for (const auto& [key, value] : file.get_object()) {
    if (key == "model" && value.is_string()) {
      const std::string_view model = value.get_string();
      const size_t at = model.find('@');
      body["model"] = model.substr(0, at);
      if (at != std::string_view::npos) body["revision"] = model.substr(at + 1);
    } else if (key == "scale_to_zero_after" && value.is_string()) {
      TRY(const auto span, parse_duration(std::string_view(value.get_string())));
      body["scale_to_zero_minutes"] = std::chrono::ceil<std::chrono::minutes>(span).count();
    } else if (key == "queue_delay" && value.is_string()) {
      TRY(const auto span, parse_duration(std::string_view(value.get_string())));
      body["queue_delay_ms"] = span.count();
    } else if (key == "name" || key == "record" || key == "revision" || key == "min_replicas" ||
               key == "max_replicas" || key == "url" || key == "engine" || key == "engine_model" ||
               key == "secret") {
      body[key] = value;
    } else {
      return fail(Reason::bad_request,
                  fmt::format("the file has '{}', which says nothing", std::string_view(key)));
    }
  }
  return body;
}

// --min-replicas, --max-replicas, --scale-to-zero-after, --queue-delay.
Status read_settings(const Arguments& arguments, json::object& body) {
  TRY_DONE(read_count(arguments, "--min-replicas", "min_replicas", body));
  TRY_DONE(read_count(arguments, "--max-replicas", "max_replicas", body));
  if (const auto span = arguments.value("--scale-to-zero-after")) {
    TRY(const auto idle, parse_duration(*span));
    body["scale_to_zero_minutes"] = std::chrono::ceil<std::chrono::minutes>(idle).count();
  }
  if (const auto span = arguments.value("--queue-delay")) {
    TRY(const auto delay, parse_duration(*span));
    body["queue_delay_ms"] = delay.count();
  }
  return Done{};
}

Result<int> create(World& world, const Arguments& arguments) {
  json::object body;
  if (const auto file = arguments.value("--file")) {
    TRY(body, body_of_file(*file));
  }
  std::string id;
  if (!arguments.positionals().empty())
    id = arguments.positionals()[0];
  else if (const json::value* name = body.if_contains("name"); name != nullptr && name->is_string())
    id = name->get_string();
  TRY(const Place place, place_of(id));
  for (const auto& [key, value] : target(arguments, place)) body[key] = value;
  TRY_DONE(read_settings(arguments, body));
  TRY(const json::value made,
      ask_json(world, arguments, {"POST", "/api/endpoints/" + place.ns, codec::to_text(body)}));
  show(world, arguments, made);
  return exit_done;
}

void show_foreseen(World& world, const Arguments& arguments, const json::value& foreseen) {
  if (arguments.has("--json")) return world.print(codec::to_text(foreseen) + "\n");
  const json::value& memory = foreseen.at("memory");
  world.print(fmt::format("{} {}@{}\n", text_of(foreseen, "id"), text_of(foreseen, "model"),
                          text_of(foreseen, "revision")));
  if (memory.is_object())
    world.print(fmt::format("bytes taken now {}, taken by the next {}, free {}: {}\n",
                            text_of(memory, "standing_bytes"), text_of(memory, "next_bytes"),
                            text_of(memory, "free_bytes"),
                            text_of(memory, "fits") == "true" ? "both fit" : "both do not fit"));
}

Result<int> update(World& world, const Arguments& arguments) {
  json::object body;
  if (const auto file = arguments.value("--file")) {
    TRY(body, body_of_file(*file));
    body.erase("name");
  }
  TRY(const Place place, place_of(arguments.positionals()[0]));
  for (const auto& [key, value] : target(arguments, place))
    if (key != "name") body[key] = value;
  TRY_DONE(read_settings(arguments, body));
  const std::string path = fmt::format("/api/endpoints/{}/{}", place.ns, place.name);
  if (arguments.has("--foresee")) {
    TRY(const json::value foreseen,
        ask_json(world, arguments, {"POST", path + "/foresee", codec::to_text(body)}));
    show_foreseen(world, arguments, foreseen);
    return exit_done;
  }
  TRY(const json::value changed,
      ask_json(world, arguments,
               {"PUT", path + (arguments.has("--memory-unchecked") ? "?memory=unchecked" : ""),
                codec::to_text(body)}));
  show(world, arguments, changed);
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
  if (const auto secret = arguments.value("--engine-secret")) body["secret"] = *secret;
  if (const auto model = arguments.value("--engine-model")) body["engine_model"] = *model;
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
    const std::string state = text_of(endpoint, "state");
    if (state == "failed" || state == "updateFailed")
      return fail(Reason::model_unsupported, fmt::format("it is {}: {}", state, text_of(endpoint, "why")));
    if (state == "running") {
      show(world, arguments, endpoint);
      return exit_done;
    }
    if (world.clock().now() >= deadline)
      return fail(Reason::timed_out,
                  fmt::format("it is {}: {}", text_of(endpoint, "state"), text_of(endpoint, "why")));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

Result<int> change(World& world, const Arguments& arguments, std::string_view how) {
  TRY(const json::value endpoint,
      ask_json(world, arguments,
               {"POST", fmt::format("/api/endpoints/{}/{}", arguments.positionals()[0], how), "{}"}));
  show(world, arguments, endpoint);
  return exit_done;
}
Result<int> pause(World& world, const Arguments& arguments) { return change(world, arguments, "pause"); }
Result<int> resume(World& world, const Arguments& arguments) { return change(world, arguments, "resume"); }
Result<int> scale_to_zero(World& world, const Arguments& arguments) {
  return change(world, arguments, "scale-to-zero");
}

Result<int> remove(World& world, const Arguments& arguments) {
  TRY(const json::value answer,
      ask_json(world, arguments, {"DELETE", fmt::format("/api/endpoints/{}", arguments.positionals()[0])}));
  world.print(arguments.has("--json") ? codec::to_text(answer) + "\n"
                                      : fmt::format("{} is deleted\n", text_of(answer, "deleted")));
  return exit_done;
}

// "model:REPO[@REV]", "endpoint:NS/NAME" or "answer:JSON", as a step of a chain.
Result<json::value> step_of(std::string_view word) {
  const size_t colon = word.find(':');
  const std::string_view kind = word.substr(0, colon);
  if (colon == std::string_view::npos || (kind != "model" && kind != "endpoint" && kind != "answer"))
    return fail(
        Reason::bad_request,
        fmt::format("'{}' is no step: model:REPO@REV, endpoint:NS/NAME or answer:JSON", word.substr(0, 80)));
  const std::string_view target = word.substr(colon + 1);
  if (kind != "answer") return json::value(json::object{{kind, target}});
  TRY(json::value answer, codec::parse_json(target));
  return json::value(json::object{{kind, std::move(answer)}});
}

void show_chain(World& world, const Arguments& arguments, const json::value& chain) {
  if (arguments.has("--json")) return world.print(codec::to_text(chain) + "\n");
  world.print(fmt::format("{} breaker {} timeout {} ms\n", text_of(chain, "endpoint"),
                          text_of(chain, "breaker"), text_of(chain, "timeout_ms")));
  for (const json::value& step : chain.at("steps").get_array())
    for (const auto& [kind, target] : step.get_object())
      world.print(fmt::format("{}:{}\n", std::string_view(kind), text_of(step, kind)));
}

// What stands in for an endpoint, in order: shown, set, or with "none" ended.
Result<int> fallback(World& world, const Arguments& arguments) {
  const std::vector<std::string_view>& words = arguments.positionals();
  TRY(const Place place, place_of(words[0]));
  const std::string path = fmt::format("/api/endpoints/{}/{}/fallback", place.ns, place.name);
  const auto timeout = arguments.value("--timeout");
  if (words.size() == 1) {
    if (timeout) return fail(Reason::bad_request, "--timeout is said together with the steps");
    TRY(const json::value chain, ask_json(world, arguments, {.path = path}));
    show_chain(world, arguments, chain);
    return exit_done;
  }
  json::object body{{"steps", json::array()}};
  if (words.size() != 2 || words[1] != "none")
    for (size_t i = 1; i < words.size(); ++i) {
      TRY(json::value step, step_of(words[i]));
      body["steps"].get_array().push_back(std::move(step));
    }
  if (timeout) {
    TRY(const auto span, parse_duration(*timeout));
    body["timeout_ms"] = span.count();
  }
  TRY(const json::value chain, ask_json(world, arguments, {"PUT", path, codec::to_text(body)}));
  show_chain(world, arguments, chain);
  return exit_done;
}

// A list that is kept beside an endpoint: shown, set from a file, or with "none" ended.
Result<int> kept_list(World& world, const Arguments& arguments, std::string_view what) {
  const std::vector<std::string_view>& words = arguments.positionals();
  TRY(const Place place, place_of(words[0]));
  const std::string path = fmt::format("/api/endpoints/{}/{}/{}", place.ns, place.name, what);
  const auto file = arguments.value("--file");
  if (words.size() == 2 && (words[1] != "none" || file))
    return fail(Reason::bad_request, "after the name stands --file, \"none\" or nothing");
  Question asked{.path = path};
  if (file || words.size() == 2) {
    json::value body = json::object{{what, json::array()}};
    if (file) {
      TRY(UserFiles files, UserFiles::open());
      TRY(const std::string text, files.read(*file, file_bytes_max));
      TRY(body, codec::parse_yaml(text));
      if (body.is_array()) body = json::object{{what, std::move(body)}};
    }
    asked = {"PUT", path, codec::to_text(body)};
  }
  TRY(const json::value answer, ask_json(world, arguments, asked));
  if (arguments.has("--json"))
    world.print(codec::to_text(answer) + "\n");
  else
    for (const json::value& one : answer.at(what).get_array()) world.print(codec::to_text(one) + "\n");
  return exit_done;
}
Result<int> guardrails(World& world, const Arguments& arguments) {
  return kept_list(world, arguments, "guardrails");
}
Result<int> schedule(World& world, const Arguments& arguments) {
  return kept_list(world, arguments, "schedule");
}
Result<int> probes(World& world, const Arguments& arguments) { return kept_list(world, arguments, "probes"); }

constexpr FlagRow record_flag{"--record", "NS/NAME", "Whatever release of this record is live."};
constexpr FlagRow model_flag{"--model", "REPO[@REV]", "One revision of a model."};
constexpr FlagRow name_flag{"--name", "NS/NAME", "The endpoint's name."};
constexpr FlagRow engine_flag{"--engine", "KIND", "openai, tei, tgi, vllm, llama.cpp or triton [tei]."};
constexpr FlagRow engine_token_flag{"--engine-token-env", "VARIABLE", "Where the engine's own token stands."};
constexpr FlagRow engine_secret_flag{"--engine-secret", "NAME",
                                     "A secret of the server's store, as its token."};
constexpr FlagRow engine_model_flag{"--engine-model", "NAME",
                                    "What the engine calls the model [as its repository]."};
constexpr FlagRow least_flag{"--min-replicas", "N", "Loaded at once, and kept at this many [on demand]."};
constexpr FlagRow most_flag{"--max-replicas", "N", "As many at most [1]."};
constexpr FlagRow idle_flag{"--scale-to-zero-after", "SPAN",
                            "Unloaded when nobody asked for so long [never]."};
constexpr FlagRow delay_flag{"--queue-delay", "SPAN",
                             "Requests wait no longer for their turn [limits.queue-delay]."};
constexpr FlagRow file_flag{"--file", "YAML", "The same in a file: name, model, min_replicas …"};
constexpr FlagRow foresee_flag{"--foresee", "",
                               "Says what memory both versions need meanwhile, and changes nothing."};
constexpr FlagRow unchecked_flag{"--memory-unchecked", "", "Changes it even where both seem not to fit."};
constexpr FlagRow list_flag{"--file", "YAML", "The list, as docs/serving.md has it."};
constexpr FlagRow timeout_flag{"--timeout", "SPAN", "How long to wait [60s]."};
constexpr FlagRow patience_flag{"--timeout", "SPAN",
                                "The steps answer when the endpoint takes longer [never]."};
constexpr size_t steps_most = 8;

}  // namespace

std::vector<Command> endpoint_commands() {
  return {
      client_command("endpoint create", "[NS/NAME]",
                     "Gives a record or a model's revision an address of its own.",
                     "holdfast endpoint create demo/support --record demo/support",
                     {{record_flag, model_flag, least_flag, most_flag, idle_flag, delay_flag, file_flag,
                       endpoint_flag, token_flag, client_json_flag},
                      0,
                      1},
                     create),
      client_command("endpoint update", "NS/NAME",
                     "Changes an endpoint's revision, replicas or waiting; what is not said stays.",
                     "holdfast endpoint update demo/support --model demo/intents@main --max-replicas 4",
                     {{model_flag, least_flag, most_flag, idle_flag, delay_flag, file_flag, foresee_flag,
                       unchecked_flag, endpoint_flag, token_flag, client_json_flag},
                      1,
                      1},
                     update),
      client_command("endpoint pause", "NS/NAME", "Stops an endpoint until it is resumed.",
                     "holdfast endpoint pause demo/support",
                     {{endpoint_flag, token_flag, client_json_flag}, 1, 1}, pause),
      client_command("endpoint resume", "NS/NAME",
                     "Starts an endpoint that is paused, failed or scaled to zero.",
                     "holdfast endpoint resume demo/support",
                     {{endpoint_flag, token_flag, client_json_flag}, 1, 1}, resume),
      client_command("endpoint scale-to-zero", "NS/NAME", "Unloads an endpoint until the next request.",
                     "holdfast endpoint scale-to-zero demo/support",
                     {{endpoint_flag, token_flag, client_json_flag}, 1, 1}, scale_to_zero),
      client_command(
          "endpoint attach", "URL", "Puts an outside engine behind the same gate, canary and counters.",
          "holdfast endpoint attach http://10.0.0.7:8080 --name demo/support --model demo/intents@main",
          {{name_flag, record_flag, model_flag, engine_flag, engine_model_flag, engine_token_flag,
            engine_secret_flag, endpoint_flag, token_flag, client_json_flag},
           1,
           1},
          attach),
      client_command("endpoint guardrails", "NS/NAME [none]",
                     "Shows, sets or ends what is looked at before and after an endpoint's model.",
                     "holdfast endpoint guardrails demo/support --file guardrails.yaml",
                     {{list_flag, endpoint_flag, token_flag, client_json_flag}, 1, 2}, guardrails),
      client_command("endpoint schedule", "NS/NAME [none]",
                     "Shows, sets or ends the hours in which an endpoint's workers stay loaded.",
                     "holdfast endpoint schedule demo/support --file hours.yaml",
                     {{list_flag, endpoint_flag, token_flag, client_json_flag}, 1, 2}, schedule),
      client_command("endpoint probes", "NS/NAME [none]",
                     "Shows, sets or ends what the server itself asks an endpoint every few minutes.",
                     "holdfast endpoint probes demo/support --file probes.yaml",
                     {{list_flag, endpoint_flag, token_flag, client_json_flag}, 1, 2}, probes),
      client_command(
          "endpoint fallback", "NS/NAME [STEP...]",
          "Shows or says what answers when an endpoint cannot: model:, endpoint:, answer:, or none.",
          "holdfast endpoint fallback demo/support model:demo/small@main endpoint:demo/other --timeout 2s",
          {{patience_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1 + steps_most}, fallback),
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
