#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/connection.h"
#include "cli/registry.h"
#include "cli/user_files.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t evidence_bytes_max = 20 << 20;

std::string text_of(const json::value& value, std::string_view key) {
  const json::value* found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  if (found == nullptr || found->is_null()) return "-";
  return found->is_string() ? std::string(found->get_string()) : codec::to_text(*found);
}

void show(World& world, const Arguments& arguments, const json::value& release) {
  if (arguments.has("--json"))
    world.print(codec::to_text(release) + "\n");
  else
    world.print(fmt::format("release {} of {} is {}\n", text_of(release, "number"),
                            text_of(release, "record"), text_of(release, "state")));
}

std::string releases_path(const Arguments& arguments) {
  return fmt::format("/api/registry/records/{}/releases", arguments.positionals()[0]);
}
std::string release_path(const Arguments& arguments) {
  return fmt::format("{}/{}", releases_path(arguments), arguments.positionals()[1]);
}

json::object decision(const Arguments& arguments) {
  json::object body;
  if (const auto reason = arguments.value("--reason")) body["reason"] = *reason;
  if (const auto role = arguments.value("--role")) body["role"] = *role;
  if (const auto expires = arguments.value("--expires")) body["expires"] = *expires;
  return body;
}

Result<int> create(World& world, const Arguments& arguments) {
  const json::object body{{"revision", arguments.value_or("--revision", "main")},
                          {"note", arguments.value_or("--note", "")}};
  TRY(const json::value release,
      ask_json(world, arguments, {"POST", releases_path(arguments), codec::to_text(body)}));
  show(world, arguments, release);
  return exit_done;
}

Result<int> list(World& world, const Arguments& arguments) {
  TRY(const json::value answer, ask_json(world, arguments, {.path = releases_path(arguments)}));
  if (arguments.has("--json")) {
    world.print(codec::to_text(answer) + "\n");
    return exit_done;
  }
  TRY(const json::array* releases, codec::json_array(answer.get_object(), "releases"));
  for (const json::value& release : *releases)
    world.print(fmt::format("{:>4} {:<12} {} {} {}\n", text_of(release, "number"), text_of(release, "state"),
                            text_of(release, "revision"), text_of(release, "author"),
                            text_of(release, "at")));
  return exit_done;
}

// Passed gates end with 0, so that a pipeline can stop here.
Result<int> gate(World& world, const Arguments& arguments) {
  TRY(const json::value release, ask_json(world, arguments, {.path = release_path(arguments)}));
  TRY(const json::array* gates, codec::json_array(release.get_object(), "gates"));
  bool passed = true;
  for (const json::value& one : *gates) passed = passed && text_of(one, "state") == "passed";
  if (arguments.has("--json")) {
    world.print(codec::to_text(json::object{
                    {"passed", passed}, {"state", text_of(release, "state")}, {"gates", *gates}}) +
                "\n");
    return passed ? exit_done : exit_failed;
  }
  for (const json::value& one : *gates) {
    world.print(fmt::format("{:<8} {:<12} {}\n", text_of(one, "state"), text_of(one, "gate"),
                            text_of(one, "reason")));
    TRY(const json::array* missing, codec::json_array(one.get_object(), "missing"));
    for (const json::value& fact : *missing)
      world.print(fmt::format("{:>22} {}\n", "", text_of(fact.get_object().at("supply"), "command")));
  }
  return passed ? exit_done : exit_failed;
}

template <const char* verb>
Result<int> step(World& world, const Arguments& arguments) {
  TRY(const json::value release, ask_json(world, arguments,
                                          {"POST", fmt::format("{}/{}", release_path(arguments), verb),
                                           codec::to_text(decision(arguments))}));
  show(world, arguments, release);
  return exit_done;
}
constexpr char promote_verb[] = "promote", approve_verb[] = "approve", reject_verb[] = "reject",
               rollback_verb[] = "rollback", retire_verb[] = "retire", canary_verb[] = "canary",
               deploy_verb[] = "deploy", validate_verb[] = "validate";

Result<int> show_one(World& world, const Arguments& arguments) {
  TRY(const json::value release, ask_json(world, arguments, {.path = release_path(arguments)}));
  world.print(codec::to_pretty_text(release));
  return exit_done;
}

Result<int> foresee(World& world, const Arguments& arguments) {
  TRY(const json::value told, ask_json(world, arguments, {.path = release_path(arguments) + "/foresee"}));
  if (arguments.has("--json")) {
    world.print(codec::to_text(told) + "\n");
    return exit_done;
  }
  TRY(const json::object* memory, codec::json_object_if(told.get_object(), "memory"));
  if (memory == nullptr) {
    world.print("nothing of ours answers beside it\n");
    return exit_done;
  }
  TRY(const bool fits, codec::json_flag(*memory, "fits"));
  const auto mebibytes = [&](const char* key) -> Result<int64_t> {
    TRY(const int64_t bytes, codec::json_integer(*memory, key));
    return (bytes + (1 << 20) - 1) >> 20;
  };
  TRY(const int64_t standing, mebibytes("standing_bytes"));
  TRY(const int64_t next, mebibytes("next_bytes"));
  TRY(const int64_t free, mebibytes("free_bytes"));
  world.print(fmt::format("release {} takes {} MiB, this one {} MiB more, and {} MiB are free: {}\n",
                          text_of(*memory, "standing"), standing, next, free,
                          fits ? "both fit" : "both do not fit"));
  return fits ? exit_done : exit_failed;
}

Result<std::string> file_text(std::string_view path) {
  TRY(UserFiles files, UserFiles::open());
  return files.read(path, evidence_bytes_max);
}

// FILE holds {"body": …, "rows": […]}, or the body alone.
Result<int> evidence(World& world, const Arguments& arguments) {
  TRY(const std::string text, file_text(arguments.positionals()[2]));
  TRY(json::object file, codec::parse_json_object(text, {.bytes_max = evidence_bytes_max}));
  json::object body{{"kind", arguments.value_or("--kind", "evaluation")}};
  if (file.contains("body")) {
    body["body"] = file.at("body");
    if (file.contains("rows")) body["rows"] = file.at("rows");
  } else {
    body["body"] = std::move(file);
  }
  TRY(const json::value made,
      ask_json(world, arguments, {"POST", release_path(arguments) + "/evidence", codec::to_text(body)}));
  world.print(arguments.has("--json") ? codec::to_text(made) + "\n"
                                      : fmt::format("evidence {}: {} sha256 {}\n", text_of(made, "id"),
                                                    text_of(made, "kind"), text_of(made, "digest")));
  return exit_done;
}

// Ends with 1 when the release gets one wrong.
Result<int> golden(World& world, const Arguments& arguments) {
  TRY(const json::value made,
      ask_json(world, arguments, {"POST", release_path(arguments) + "/golden", "{}"}));
  TRY(const json::object* body, codec::json_object(made.get_object(), "body"));
  TRY(const std::string_view verdict, codec::json_text(*body, "verdict"));
  TRY(const json::array* failed, codec::json_array(*body, "failed"));
  world.print(arguments.has("--json") ? codec::to_text(made) + "\n"
                                      : fmt::format("{} of {} golden examples fail\n", failed->size(),
                                                    codec::to_text(body->at("examples"))));
  return verdict == "pass" ? exit_done : exit_failed;
}

Result<int> criteria(World& world, const Arguments& arguments) {
  TRY(const std::string text, file_text(arguments.positionals()[1]));
  TRY(const json::value made,
      ask_json(world, arguments,
               {"POST", fmt::format("/api/registry/records/{}/criteria", arguments.positionals()[0]), text}));
  world.print(arguments.has("--json") ? codec::to_text(made) + "\n"
                                      : fmt::format("criteria {} stand since {}\n", text_of(made, "number"),
                                                    text_of(made, "at")));
  return exit_done;
}

Result<int> exception(World& world, const Arguments& arguments) {
  TRY(const json::value made,
      ask_json(world, arguments,
               {"POST", release_path(arguments) + "/exceptions", codec::to_text(decision(arguments))}));
  world.print(arguments.has("--json") ? codec::to_text(made) + "\n"
                                      : fmt::format("exception {} is proposed; a second person confirms it\n",
                                                    text_of(made, "id")));
  return exit_done;
}

Result<int> confirm(World& world, const Arguments& arguments) {
  TRY(const json::value made,
      ask_json(world, arguments,
               {"POST", fmt::format("/api/registry/exceptions/{}/confirm", arguments.positionals()[0]),
                codec::to_text(decision(arguments))}));
  world.print(arguments.has("--json") ? codec::to_text(made) + "\n"
                                      : fmt::format("exception {} is live until {}\n", text_of(made, "id"),
                                                    text_of(made, "expires")));
  return exit_done;
}

Result<int> role(World& world, const Arguments& arguments) {
  const std::string path = fmt::format("/api/registry/roles/{}", arguments.positionals()[0]);
  Question question{"POST", path, ""};
  if (const auto id = arguments.value("--confirm")) {
    question.path = fmt::format("{}/{}/confirm", path, *id);
    question.body = "{}";
  } else if (arguments.positionals().size() == 3) {
    question.body = codec::to_text(
        json::object{{"user", arguments.positionals()[1]}, {"role", arguments.positionals()[2]}});
  } else {
    question.method = "GET";
  }
  TRY(const json::value answer, ask_json(world, arguments, question));
  world.print(codec::to_text(answer) + "\n");
  return exit_done;
}

template <const char* word>
Result<int> set_frozen(World& world, const Arguments& arguments) {
  TRY(const json::value record,
      ask_json(world, arguments,
               {"POST", fmt::format("/api/registry/records/{}/{}", arguments.positionals()[0], word),
                codec::to_text(decision(arguments))}));
  world.print(arguments.has("--json") ? codec::to_text(record) + "\n"
                                      : fmt::format("{}: {}\n", text_of(record, "id"), word));
  return exit_done;
}
constexpr char freeze_word[] = "freeze", unfreeze_word[] = "unfreeze";

constexpr FlagRow reason_flag{"--reason", "TEXT", "Why; the decision log keeps it."};
constexpr FlagRow role_flag{"--role", "ROLE", "owner, reviewer, security, legal, compliance or privacy."};
constexpr FlagRow expires_flag{"--expires", "TIME", "2026-12-01T00:00:00Z, at most 30 days from now."};
constexpr FlagRow revision_flag{"--revision", "NAME", "Branch, tag or commit of the record's model [main]."};
constexpr FlagRow note_flag{"--note", "TEXT", "What is new in it."};
constexpr FlagRow kind_flag{"--kind", "KIND",
                            "evaluation, golden, load, bias, security, legal … [evaluation]."};
constexpr FlagRow confirm_flag{"--confirm", "ID", "Confirm a proposed role, as a second administrator."};

}  // namespace

std::vector<Command> release_commands() {
  const auto with = [](std::vector<FlagRow> flags) {
    for (const FlagRow& flag : {endpoint_flag, token_flag, client_json_flag}) flags.push_back(flag);
    return flags;
  };
  const auto of_release = [&](const char* words, const char* summary, Work work, std::vector<FlagRow> flags) {
    return client_command(words, "RECORD NUMBER", summary, fmt::format("holdfast {} demo/support 2", words),
                          {with(std::move(flags)), 2, 2}, work);
  };
  return {
      client_command("release create", "RECORD",
                     "Registers a revision of the record's model as its next release.",
                     "holdfast release create demo/support --revision main",
                     {with({revision_flag, note_flag}), 1, 1}, create),
      client_command("release list", "RECORD", "Lists a record's releases.",
                     "holdfast release list demo/support", {with({}), 1, 1}, list),
      of_release("release show", "Shows all that is known of a release.", show_one, {}),
      of_release("release foresee",
                 "Says what memory a release needs beside the one that answers; 1: it has none.", foresee,
                 {}),
      of_release("gate", "Says which gates a release passes; ends with 1 when it misses something.", gate,
                 {}),
      of_release("release promote", "Takes a release one step further, if its gates let it.",
                 step<promote_verb>, {reason_flag}),
      of_release("release validate", "Asks the evidence gates.", step<validate_verb>, {reason_flag}),
      of_release("release canary", "Gives a release its share of the traffic.", step<canary_verb>,
                 {reason_flag}),
      of_release("release deploy", "Gives a release all of the traffic.", step<deploy_verb>, {reason_flag}),
      of_release("release approve", "Approves a release in a role.", step<approve_verb>,
                 {role_flag, reason_flag}),
      of_release("release reject", "Rejects a release in a role.", step<reject_verb>,
                 {role_flag, reason_flag}),
      of_release("release rollback", "Takes a live release back.", step<rollback_verb>, {reason_flag}),
      of_release("release retire", "Ends a release for good.", step<retire_verb>, {reason_flag}),
      of_release("release except", "Proposes a dated exception for a release.", exception,
                 {reason_flag, expires_flag}),
      client_command("release confirm", "EXCEPTION", "Confirms an exception, as the second person.",
                     "holdfast release confirm 3 --reason fine", {with({reason_flag}), 1, 1}, confirm),
      client_command("release criteria", "RECORD FILE", "Fixes what releases must reach, before a run.",
                     "holdfast release criteria demo/support criteria.json", {with({}), 2, 2}, criteria),
      client_command("release evidence", "RECORD NUMBER FILE", "Adds evidence that nobody can change.",
                     "holdfast release evidence demo/support 2 evaluation.json", {with({kind_flag}), 3, 3},
                     evidence),
      of_release("release golden", "Asks a release all golden examples; ends with 1 when one fails.", golden,
                 {}),
      client_command("release role", "NAMESPACE [USER ROLE]", "Lists roles, or proposes one for a user.",
                     "holdfast release role demo olga owner", {with({confirm_flag}), 1, 3}, role),
      client_command("release freeze", "RECORD", "Lets nothing be promoted.",
                     "holdfast release freeze demo/support --reason audit", {with({reason_flag}), 1, 1},
                     set_frozen<freeze_word>),
      client_command("release unfreeze", "RECORD", "Lets releases go on.",
                     "holdfast release unfreeze demo/support --reason done", {with({reason_flag}), 1, 1},
                     set_frozen<unfreeze_word>),
  };
}

}  // namespace holdfast::cli
