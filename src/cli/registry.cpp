#include "cli/registry.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/connection.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "govern/record.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t record_bytes_max = 64 << 10;

void print_json(World& world, const json::value& value) { world.print(codec::to_text(value) + "\n"); }

std::string text_of(const json::value& value, std::string_view key) {
  if (!value.is_object()) return {};
  const json::value* found = value.get_object().if_contains(key);
  if (found == nullptr || found->is_null()) return "-";
  return found->is_string() ? std::string(found->get_string()) : codec::to_text(*found);
}

Result<std::string> read_file(std::string_view path) {
  TRY(UserFiles files, UserFiles::open());
  return files.read(path, record_bytes_max);
}

// Offline: the same reading as the server's. Missing facts of the record's tier fail it too.
Result<int> check(World& world, const Arguments& arguments) {
  TRY(const std::string text, read_file(arguments.positionals()[0]));
  TRY(const govern::ReadRecord read, govern::read_record_text(text));
  json::array problems, missing;
  const bool as_json = arguments.has("--json");
  for (const govern::FieldProblem& problem : read.problems) {
    problems.push_back(json::object{{"field", problem.field}, {"why", problem.why}});
    if (!as_json) world.print(fmt::format("{}: {}\n", problem.field, problem.why));
  }
  for (const govern::FieldProblem& field : govern::missing_fields(read.record)) {
    missing.push_back(json::object{{"field", field.field}, {"needs", field.why}});
    if (!as_json)
      world.print(fmt::format("{} is missing in tier {}: {}\n", field.field,
                              govern::tier_name(read.record.tier), field.why));
  }
  const bool good = problems.empty() && missing.empty();
  if (as_json)
    print_json(world, json::object{
                          {"valid", good}, {"fields", std::move(problems)}, {"missing", std::move(missing)}});
  else if (good)
    world.print(fmt::format("{} is a valid record of tier {}\n", read.record.id,
                            govern::tier_name(read.record.tier)));
  return good ? exit_done : exit_failed;
}

Result<int> import(World& world, const Arguments& arguments) {
  TRY(const std::string text, read_file(arguments.positionals()[0]));
  TRY(const govern::ReadRecord read, govern::read_record_text(text));
  TRY(const json::value record,
      ask_json(world, arguments,
               {"PUT", "/api/registry/records/" + read.record.id, text, "application/yaml"}));
  if (arguments.has("--json"))
    print_json(world, record);
  else
    world.print(fmt::format("{} is registered, tier {}\n", text_of(record, "id"), text_of(record, "tier")));
  return exit_done;
}

Result<int> export_record(World& world, const Arguments& arguments) {
  TRY(const std::string text,
      ask_text(world, arguments,
               {.path = fmt::format("/api/registry/records/{}/yaml", arguments.positionals()[0])}));
  world.print(text);
  return exit_done;
}

Result<int> decisions(World& world, const Arguments& arguments) {
  const std::string path = fmt::format("/api/registry/records/{}/decisions", arguments.positionals()[0]);
  if (!arguments.has("--json")) {
    TRY(const std::string page, ask_text(world, arguments, {.path = path + "?format=markdown"}));
    world.print(page);
    return exit_done;
  }
  TRY(const json::value list, ask_json(world, arguments, {.path = path}));
  print_json(world, list);
  return exit_done;
}

void print_answer(World& world, const json::value& record) {
  world.print(fmt::format("{}\n", text_of(record, "record")));
  const auto section = [&](const char* key) -> const json::value& {
    static const json::value nothing;
    const json::value* found = record.get_object().if_contains(key);
    return found == nullptr ? nothing : *found;
  };
  const auto version = [&](const json::value& of) {
    return of.is_object() ? fmt::format("release {} of {}@{}, since {}", text_of(of, "release"),
                                        text_of(of, "model"), text_of(of, "revision"), text_of(of, "since"))
                          : std::string("none");
  };
  world.print(fmt::format("  deployed       {}\n", version(section("deployed"))));
  if (section("canary").is_object())
    world.print(fmt::format("  canary         {} ({} %)\n", version(section("canary")),
                            text_of(section("canary"), "percent")));
  world.print(fmt::format("  prompt         {} {}\n", text_of(section("prompt"), "name"),
                          text_of(section("prompt"), "digest")));
  world.print(fmt::format("  preprocessing  {}\n", text_of(record, "preprocessing")));
  if (section("approved_by").is_array())
    for (const json::value& evidence : section("approved_by").get_array())
      world.print(fmt::format("  evidence       {} {} accuracy {} sha256 {}\n", text_of(evidence, "kind"),
                              text_of(evidence, "evidence"), text_of(evidence, "accuracy"),
                              text_of(evidence, "digest")));
  world.print(
      fmt::format("  rollback       {}\n", section("rollback").is_object()
                                               ? "release " + text_of(section("rollback"), "release") + ", " +
                                                     text_of(section("rollback"), "revision")
                                               : std::string("nowhere: there is no earlier release")));
  world.print(
      fmt::format("  owner          {}, on call {}\n", text_of(record, "owner"), text_of(record, "oncall")));
  if (section("frozen").is_string())
    world.print(fmt::format("  FROZEN         {}\n", text_of(record, "frozen")));
  if (section("exceptions").is_array() && !section("exceptions").get_array().empty())
    world.print(fmt::format("  EXCEPTION      {}\n", codec::to_text(section("exceptions"))));
}

Result<int> whatis(World& world, const Arguments& arguments) {
  TRY(const json::value answer,
      ask_json(world, arguments,
               {.path = fmt::format("/api/registry/whatis/{}", arguments.positionals()[0])}));
  if (arguments.has("--json")) {
    print_json(world, answer);
    return exit_done;
  }
  TRY(const json::array* records, codec::json_array(answer.get_object(), "records"));
  for (const json::value& record : *records) print_answer(world, record);
  return exit_done;
}

Result<int> replay(World& world, const Arguments& arguments) {
  TRY(const json::value answer,
      ask_json(world, arguments,
               {"POST", fmt::format("/api/registry/requests/{}/replay", arguments.positionals()[0]), "{}"}));
  TRY(const bool identical, codec::json_flag(answer.get_object(), "identical"));
  if (arguments.has("--json"))
    print_json(world, answer);
  else
    world.print(fmt::format("{}: {} by {}\n", arguments.positionals()[0],
                            identical ? "the same answer, bit for bit" : "ANOTHER answer",
                            text_of(answer, "revision")));
  return identical ? exit_done : exit_failed;
}

Result<int> incidents(World& world, const Arguments& arguments) {
  TRY(const json::value answer, ask_json(world, arguments,
                                         {.path = fmt::format("/api/registry/incidents?record={}",
                                                              arguments.value_or("--record", ""))}));
  if (arguments.has("--json")) {
    print_json(world, answer);
    return exit_done;
  }
  TRY(const json::array* list, codec::json_array(answer.get_object(), "incidents"));
  for (const json::value& incident : *list)
    world.print(fmt::format("{} {} {} {}: {}\n", text_of(incident, "id"), text_of(incident, "state"),
                            text_of(incident, "record"), text_of(incident, "opened"),
                            text_of(incident, "cause")));
  return exit_done;
}

}  // namespace

std::vector<Command> registry_commands() {
  const std::vector<FlagRow> flags{endpoint_flag, token_flag, client_json_flag};
  constexpr FlagRow of_record{"--record", "NS/NAME", "Of this record only."};
  return {
      client_command("registry check", "FILE",
                     "Reads a registry.yaml as the server would, and says what its tier misses.",
                     "holdfast registry check registry.yaml", {{client_json_flag}, 1, 1}, check),
      client_command("registry import", "FILE", "Registers a registry.yaml, or changes its record.",
                     "holdfast registry import registry.yaml", {flags, 1, 1}, import),
      client_command("registry export", "RECORD", "Prints a record's file as it was put.",
                     "holdfast registry export demo/support", {flags, 1, 1}, export_record),
      client_command("registry decisions", "RECORD", "Prints what was decided, as a page to publish.",
                     "holdfast registry decisions demo/support", {flags, 1, 1}, decisions),
      client_command("whatis", "FEATURE",
                     "Says what answers for a feature: version, prompt, evidence, rollback, owner.",
                     "holdfast whatis support-routing", {flags, 1, 1}, whatis),
      client_command("replay", "REQUEST", "Asks a kept request again of the revision that answered it.",
                     "holdfast replay 4bf92f3577b34da6a3ce929d0e0e4736", {flags, 1, 1}, replay),
      client_command("incident list", "", "Lists incidents.", "holdfast incident list --record demo/support",
                     {{of_record, endpoint_flag, token_flag, client_json_flag}, 0, 0}, incidents),
  };
}

}  // namespace holdfast::cli
