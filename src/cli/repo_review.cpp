#include "cli/repo_review.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <thread>

#include "cli/connection.h"
#include "cli/named_repo.h"
#include "codec/json.h"
#include "codec/percent.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using exchange::RemoteRepo;

constexpr std::chrono::milliseconds step{200};

std::string api_path(const RemoteRepo& repo, std::string_view rest) {
  return fmt::format("/api/{}/{}/{}", exchange::remote_plural(repo.type), repo.name, rest);
}

// Of an array of objects: how one member of each reads, with another before it.
Result<std::vector<std::pair<std::string, std::string>>> pairs_of(const json::object& from,
                                                                  std::string_view list,
                                                                  std::string_view first,
                                                                  std::string_view second) {
  std::vector<std::pair<std::string, std::string>> out;
  TRY(const json::array* rows, codec::json_array(from, list));
  for (const json::value& row : *rows) {
    if (!row.is_object()) continue;
    TRY(const std::string_view a, codec::json_text(row.get_object(), first));
    TRY(const std::string_view b, codec::json_text(row.get_object(), second));
    out.emplace_back(a, b);
  }
  return out;
}

Result<int> changes(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  std::string path = api_path(
      repo, fmt::format("changes/{}", codec::percent_encode(arguments.value_or("--revision", "main"))));
  if (const auto since = arguments.value("--since")) path += "?since=" + codec::percent_encode(*since);
  TRY(const json::value answer, ask_json(world, arguments, {.path = path}));
  if (arguments.has("--json")) {
    world.print(codec::to_text(answer) + "\n");
    return exit_done;
  }
  if (!answer.is_object()) return fail(Code::corrupt, "the hub's answer is no object");
  const json::object& found = answer.get_object();
  TRY(const json::array* flags, codec::json_array(found, "flags"));
  std::string flagged;
  for (const json::value& each : *flags)
    if (each.is_string()) flagged += (flagged.empty() ? "" : ", ") + std::string(each.get_string());
  world.print(fmt::format("changed: {}\n", flagged.empty() ? "files that mean nothing here" : flagged));
  TRY(const auto files, pairs_of(found, "files", "change", "path"));
  for (const auto& [change, file] : files) world.print(fmt::format("  {:<8} {}\n", change, file));
  TRY(const auto parts, pairs_of(found, "card", "change", "name"));
  for (const auto& [change, name] : parts)
    world.print(fmt::format("  {:<8} of the card: {}\n", change, name));
  return exit_done;
}

Result<json::object> object_of(json::value value) {
  if (!value.is_object()) return fail(Code::corrupt, "the hub's answer is no object");
  return std::move(value.get_object());
}

Result<int> mask(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  const json::object wish{{"revision", arguments.value_or("--revision", "main")},
                          {"into", arguments.value_or("--into", "masked")},
                          {"with", arguments.value_or("--with", "kind")}};
  TRY(json::value started,
      ask_json(world, arguments, {"POST", api_path(repo, "masking"), codec::to_text(wish)}));
  TRY(json::object job, object_of(std::move(started)));
  TRY(const int64_t id, codec::json_integer(job, "id"));
  while (true) {
    TRY(const std::string_view state, codec::json_text(job, "state"));
    if (state == "done" || state == "failed") break;
    std::this_thread::sleep_for(step);
    TRY(json::value next,
        ask_json(world, arguments, {.path = api_path(repo, fmt::format("masking/{}", id))}));
    TRY(job, object_of(std::move(next)));
  }
  TRY(const auto failure, codec::json_text_if(job, "failure"));
  if (failure) return fail(Reason::bad_request, std::string(*failure));
  TRY(const json::object* report, codec::json_object_if(job, "report"));
  if (report == nullptr) return fail(Code::corrupt, "the hub tells nothing of a job that is done");
  if (arguments.has("--json")) {
    world.print(codec::to_text(*report) + "\n");
    return exit_done;
  }
  TRY(const int64_t findings, codec::json_integer(*report, "findings"));
  TRY(const int64_t files, codec::json_integer(*report, "files"));
  TRY(const int64_t left, codec::json_integer(*report, "leftFindings"));
  TRY(const std::string_view commit, codec::json_text(*report, "commit"));
  world.print(
      fmt::format("{} places masked in {} texts; a scan of the result finds {}\n", findings, files, left));
  TRY(const auto unread, pairs_of(*report, "unread", "path", "why"));
  for (const auto& [path, why] : unread) world.print(fmt::format("  {} {}: not looked into\n", path, why));
  world.print(fmt::format("{} is at {}\n", repo.name, commit));
  return exit_done;
}

Result<int> release(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  const std::string path = api_path(
      repo, fmt::format("held/{}/release", codec::percent_encode(arguments.value_or("--revision", "main"))));
  TRY(json::value answer,
      ask_json(world, arguments,
               {"POST", path, codec::to_text(json::object{{"reason", arguments.value_or("--reason", "")}})}));
  if (arguments.has("--json")) {
    world.print(codec::to_text(answer) + "\n");
    return exit_done;
  }
  TRY(const json::object released, object_of(std::move(answer)));
  TRY(const std::string_view state, codec::json_text(released, "state"));
  TRY(const std::string_view commit, codec::json_text(released, "commit"));
  world.print(state == "released"
                  ? fmt::format("{} at {} is released\n", repo.name, commit)
                  : fmt::format("proposed: another person releases {} at {} by the same command\n", repo.name,
                                commit));
  return exit_done;
}

// Without kinds and a reason: what it is cleared for.
Result<int> clear(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  const auto listed = arguments.value("--kinds");
  json::value answer;
  if (listed) {
    json::array kinds;
    for (std::string_view rest = *listed; !rest.empty();) {
      const size_t comma = rest.find(',');
      std::string_view one = rest.substr(0, comma);
      while (one.starts_with(' ')) one.remove_prefix(1);
      if (!one.empty() && one != "none") kinds.emplace_back(one);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    const json::object wish{{"kinds", std::move(kinds)}, {"reason", arguments.value_or("--reason", "")}};
    TRY(answer, ask_json(world, arguments, {"PUT", api_path(repo, "clearance"), codec::to_text(wish)}));
  } else {
    TRY(answer, ask_json(world, arguments, {.path = api_path(repo, "clearance")}));
  }
  if (arguments.has("--json")) {
    world.print(codec::to_text(answer) + "\n");
    return exit_done;
  }
  TRY(const json::object cleared, object_of(std::move(answer)));
  TRY(const json::array* kinds, codec::json_array(cleared, "kinds"));
  std::string names;
  for (const json::value& each : *kinds)
    if (each.is_string()) names += (names.empty() ? "" : ", ") + std::string(each.get_string());
  world.print(fmt::format("{} is cleared for: {}\n", repo.name, names.empty() ? "nothing" : names));
  return exit_done;
}

}  // namespace

std::vector<Command> repo_review_commands() {
  constexpr FlagRow revision{"--revision", "NAME", "Branch, tag or commit [main]."};
  constexpr FlagRow since{"--since", "NAME", "Compared with this one [the commit before]."};
  constexpr FlagRow into{"--into", "BRANCH", "What the masked revision becomes the head of [masked]."};
  constexpr FlagRow with{"--with", "WAY",
                         "What stands for what was found: kind, stars, hash or nothing [kind]."};
  constexpr FlagRow reason{"--reason", "TEXT", "Why: it is kept in the audit log."};
  constexpr FlagRow kinds{
      "--kinds", "KINDS",
      "credentials, identity, payment, health, contacts, marked, separated by commas, or none; "
      "without it, what it is cleared for is shown."};
  return {
      client_command(
          "repo release", "REPO --reason TEXT",
          "Lets a revision go on that the checks hold, with a reason; where the server asks for two "
          "people, the first proposes.",
          "holdfast repo release demo/model --reason \"the key is an example\"",
          {{revision, reason, type_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, release),
      client_command(
          "repo clear", "REPO [--kinds KINDS --reason TEXT]",
          "Lets kinds of sensitive data into a repository, or shows which it is cleared for.",
          "holdfast repo clear demo/patients --repo-type dataset --kinds health --reason \"study 12\"",
          {{kinds, reason, type_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, clear),
      client_command(
          "repo changes", "REPO",
          "Says what differs between two revisions: files, the card's keys and sections, and whether "
          "licence, tokenizer or evaluation changed.",
          "holdfast repo changes demo/model --since v1",
          {{revision, since, type_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1}, changes),
      client_command("repo mask", "REPO",
                     "Has the hub make a revision in which personal data is masked, on a branch of its own.",
                     "holdfast repo mask demo/messages --repo-type dataset --into masked",
                     {{revision, into, with, type_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1},
                     mask),
  };
}

}  // namespace holdfast::cli
