#include "cli/upstream.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/option_value.h"
#include "cli/connection.h"
#include "cli/named_repo.h"
#include "cli/text_table.h"
#include "codec/json.h"
#include "codec/percent.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr FlagRow secret_flag{"--secret", "NAME", "Its token in the secrets store [asked anonymously]."};
constexpr FlagRow namespaces_flag{"--namespaces", "NAMES",
                                  "Namespaces here that it stands behind: \"demo, lab=their-lab\"."};
constexpr FlagRow allow_flag{"--allow", "NAMES", "Only repositories there that fit one of these [*]."};
constexpr FlagRow deny_flag{"--deny", "NAMES", "No repository there that fits one of these."};
constexpr FlagRow private_flag{"--private", {}, "What is taken over is private."};
constexpr FlagRow follow_flag{"--follow", {}, "main goes with the upstream's; else it stays as first seen."};
constexpr FlagRow every_flag{"--every", "SPAN", "How often it is looked at again: 1h [never]."};
constexpr FlagRow reason_flag{"--reason", "TEXT", "Why; kept in the audit log."};
constexpr FlagRow state_flag{"--state", "STATE", "fetching, done, quarantined or failed."};

std::string text_in(const json::value& row, std::string_view key) {
  const json::value* found = row.is_object() ? row.get_object().if_contains(key) : nullptr;
  if (found == nullptr || found->is_null()) return {};
  return found->is_string() ? std::string(found->get_string()) : codec::to_text(*found);
}

// JSON as it came, or a table of some members of the rows below `key`.
Result<int> show(World& world, const Arguments& arguments, const json::value& answer, std::string_view key,
                 std::span<const std::string_view> columns) {
  if (arguments.has("--json")) {
    world.print(codec::to_text(answer) + "\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows{{}};
  for (const std::string_view column : columns) rows[0].emplace_back(column);
  const json::value* list = answer.is_object() ? answer.get_object().if_contains(key) : nullptr;
  if (list != nullptr && list->is_array())
    for (const json::value& each : list->get_array()) {
      rows.emplace_back();
      for (const std::string_view column : columns) rows.back().push_back(text_in(each, column));
    }
  world.print(text_table(rows));
  return exit_done;
}

std::string path_of(std::string_view name) { return "/api/upstreams/" + codec::percent_encode(name); }

Result<int> set(World& world, const Arguments& arguments) {
  json::object body{{"url", arguments.positionals()[1]},
                    {"namespaces", arguments.value_or("--namespaces", "")},
                    {"secret", arguments.value_or("--secret", "")},
                    {"allow", arguments.value_or("--allow", "*")},
                    {"deny", arguments.value_or("--deny", "")},
                    {"visibility", arguments.has("--private") ? "private" : "public"},
                    {"follow", arguments.has("--follow")}};
  if (const auto every = arguments.value("--every")) {
    TRY(const auto span, parse_duration(*every));
    body["everySeconds"] = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  }
  TRY(const json::value answer,
      ask_json(world, arguments,
               {.method = "PUT", .path = path_of(arguments.positionals()[0]), .body = codec::to_text(body)}));
  world.print(arguments.has("--json") ? codec::to_text(answer) + "\n"
                                      : fmt::format("upstream {} set\n", arguments.positionals()[0]));
  return exit_done;
}

Result<int> list(World& world, const Arguments& arguments) {
  TRY(const json::value answer, ask_json(world, arguments, {.path = "/api/upstreams"}));
  constexpr std::string_view columns[] = {"name", "url", "namespaces", "allow", "deny", "secret", "follow"};
  return show(world, arguments, answer, "upstreams", columns);
}

Result<int> remove(World& world, const Arguments& arguments) {
  TRY(const json::value answer,
      ask_json(world, arguments, {.method = "DELETE", .path = path_of(arguments.positionals()[0])}));
  world.print(arguments.has("--json") ? codec::to_text(answer) + "\n"
                                      : fmt::format("upstream {} removed\n", arguments.positionals()[0]));
  return exit_done;
}

Result<int> status(World& world, const Arguments& arguments) {
  TRY(const json::value answer,
      ask_json(world, arguments,
               {.path = fmt::format("/api/mirror/revisions?state={}",
                                    codec::form_encode(arguments.value_or("--state", "")))}));
  constexpr std::string_view columns[] = {"id",        "repository", "revision", "state",
                                          "bytesHere", "bytes",      "detail"};
  return show(world, arguments, answer, "revisions", columns);
}

Result<int> release(World& world, const Arguments& arguments) {
  const json::object body{{"reason", arguments.value_or("--reason", "")}};
  TRY(const json::value answer,
      ask_json(world, arguments,
               {.method = "POST",
                .path = fmt::format("/api/mirror/revisions/{}/release", arguments.positionals()[0]),
                .body = codec::to_text(body)}));
  world.print(arguments.has("--json") ? codec::to_text(answer) + "\n"
                                      : fmt::format("{} is let in\n", text_in(answer, "repository")));
  return exit_done;
}

Result<int> sync(World& world, const Arguments& arguments) {
  TRY(const exchange::RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  const std::string_view plural = exchange::remote_plural(repo.type);
  const json::object body{{"repository", repo.name}, {"type", plural.substr(0, plural.size() - 1)}};
  TRY(const json::value answer,
      ask_json(world, arguments,
               {.method = "POST", .path = "/api/mirror/sync", .body = codec::to_text(body)}));
  const std::string what = text_in(answer, "what");
  world.print(arguments.has("--json") ? codec::to_text(answer) + "\n"
              : what.empty()          ? std::string("nothing changed upstream\n")
                                      : fmt::format("changed upstream: {}\n", what));
  return exit_done;
}

}  // namespace

std::vector<Command> upstream_commands() {
  return {
      client_command("upstream set", "NAME URL",
                     "Puts this hub in front of another: what is asked for and not here comes from there.",
                     "holdfast upstream set hub https://hub.example.org --namespaces demo --secret hub-token",
                     {{namespaces_flag, secret_flag, allow_flag, deny_flag, private_flag, follow_flag,
                       every_flag, endpoint_flag, token_flag, client_json_flag},
                      2,
                      2},
                     set),
      client_command("upstream list", "", "Lists the hubs that this one stands in front of.",
                     "holdfast upstream list", {{endpoint_flag, token_flag, client_json_flag}, 0, 0}, list),
      client_command("upstream rm", "NAME", "Takes one away; what came from it stays.",
                     "holdfast upstream rm hub", {{endpoint_flag, token_flag, client_json_flag}, 1, 1},
                     remove),
      client_command("mirror status", "", "Lists what a server takes over from upstreams, newest first.",
                     "holdfast mirror status --state quarantined",
                     {{state_flag, endpoint_flag, token_flag, client_json_flag}, 0, 0}, status),
      client_command("mirror release", "ID", "Lets in what is quarantined, with a reason.",
                     "holdfast mirror release 7 --reason \"read by ada\"",
                     {{reason_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, release),
      client_command("mirror sync", "REPO", "Looks at a repository's upstream now.",
                     "holdfast mirror sync demo/bert",
                     {{type_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, sync),
  };
}

}  // namespace holdfast::cli
