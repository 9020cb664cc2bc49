#include "cli/token.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "base/option_value.h"
#include "cli/administration.h"
#include "cli/text_table.h"
#include "codec/json.h"
#include "identity/names.h"
#include "identity/scope.h"

namespace holdfast::cli {
namespace {

using Run = const AdministrationRun&;
using identity::TokenInfo;

boost::json::value time_json(const std::optional<WallTime>& time) {
  return time ? boost::json::value(format_time(*time)) : boost::json::value(nullptr);
}

boost::json::object token_json(const TokenInfo& token) {
  boost::json::array scopes;
  for (const identity::Scope& scope : token.scopes) scopes.emplace_back(identity::scope_text(scope));
  return {{"id", token.id.raw},
          {"user", token.user_name},
          {"name", token.label},
          {"role", identity::token_role_name(token.role)},
          {"scopes", std::move(scopes)},
          {"environment", token.environment},
          {"created", format_time(token.created)},
          {"expires", time_json(token.expires)},
          {"last_used", time_json(token.last_used)},
          {"revoked", time_json(token.revoked)},
          {"found_in", token.found_in}};
}

Result<std::string_view> required(Run run, std::string_view flag) {
  const auto value = run.arguments.value(flag);
  if (!value) return fail(Reason::bad_request, fmt::format("{} is missing", flag));
  return *value;
}

Result<std::optional<Secret>> value_from_outside(Run run) {
  if (!run.arguments.has("--value-stdin")) return std::optional<Secret>();
  TRY(Secret value, read_secret(run.world, "value"));
  return std::optional(std::move(value));
}

// Standard output gets the value alone, so that a script can take it; the rest is for the eye.
void show(Run run, const identity::IssuedToken& issued) {
  if (run.output == Output::json) {
    boost::json::object answer = token_json(issued.info);
    answer["token"] = issued.value.reveal();
    run.world.print(codec::to_text(answer) + "\n");
    return;
  }
  run.world.complain(fmt::format("token {} of {}; its value is shown this once:\n", issued.info.id.raw,
                                 issued.info.user_name));
  run.world.print(issued.value.reveal() + "\n");
}

Status create(Run run) {
  TRY(const std::string_view user, required(run, "--user"));
  TRY(const std::string_view label, required(run, "--name"));
  TRY(const std::string_view word, required(run, "--role"));
  const auto role = identity::token_role_of(word);
  if (!role)
    return fail(Reason::bad_request, fmt::format("'{}' is no role: read, write, fine-grained", word));
  identity::NewToken wish{.user = std::string(user), .label = std::string(label), .role = *role};
  for (const std::string_view text : run.arguments.all("--scope")) {
    TRY(identity::Scope scope, identity::parse_scope(text));
    wish.scopes.push_back(std::move(scope));
  }
  if (const auto span = run.arguments.value("--expires")) {
    TRY(const auto lifetime, parse_duration(*span));
    wish.expires = run.world.clock().wall() + lifetime;
  }
  wish.environment = run.arguments.value_or("--environment", "");
  TRY(wish.value, value_from_outside(run));
  TRY(const identity::IssuedToken issued, run.instance.tokens().create(command_line_actor, wish));
  show(run, issued);
  return Done{};
}

const char* state_word(const TokenInfo& token, WallTime now) {
  if (!token.found_in.empty()) return "leaked";
  if (token.revoked) return "revoked";
  return token.expires && *token.expires <= now ? "expired" : "live";
}

Status list(Run run) {
  std::optional<identity::UserId> of;
  if (const auto name = run.arguments.value("--user")) {
    TRY(const identity::User user, run.instance.accounts().find_user(*name));
    of = user.id;
  }
  TRY(const std::vector<TokenInfo> tokens, run.instance.tokens().list(of));
  if (run.output == Output::json) {
    boost::json::array all;
    for (const TokenInfo& token : tokens) all.push_back(token_json(token));
    run.world.print(codec::to_text(all) + "\n");
    return Done{};
  }
  const auto shown = [](const std::optional<WallTime>& time) { return time ? format_time(*time) : "-"; };
  std::vector<std::vector<std::string>> rows{{"ID", "USER", "ROLE", "STATE", "EXPIRES", "LAST USED", "NAME"}};
  for (const TokenInfo& token : tokens)
    rows.push_back({std::to_string(token.id.raw), token.user_name, std::string(token_role_name(token.role)),
                    state_word(token, run.world.clock().wall()), shown(token.expires), shown(token.last_used),
                    token.label});
  run.world.print(text_table(rows));
  return Done{};
}

Result<identity::TokenId> token_id(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    return fail(Reason::bad_request,
                fmt::format("'{}' is no token's number; `holdfast token list` shows them", text));
  return identity::TokenId{number};
}

Status revoke(Run run) {
  TRY(const identity::TokenId id, token_id(run.positional(0)));
  TRY_DONE(run.instance.tokens().revoke(command_line_actor, id));
  TRY(const TokenInfo token, run.instance.tokens().find(id));
  run.world.print(run.output == Output::json
                      ? codec::to_text(token_json(token)) + "\n"
                      : fmt::format("token {} of {} ({}) revoked\n", id.raw, token.user_name, token.label));
  return Done{};
}

Status rotate(Run run) {
  TRY(const identity::TokenId id, token_id(run.positional(0)));
  TRY(const auto overlap, parse_duration(run.arguments.value_or("--overlap", "0s")));
  TRY(auto value, value_from_outside(run));
  TRY(const identity::IssuedToken issued,
      run.instance.tokens().rotate(command_line_actor, id, run.world.clock().wall() + overlap,
                                   std::move(value)));
  show(run, issued);
  return Done{};
}

constexpr FlagRow value_stdin{"--value-stdin", "", "Take the value from standard input's first line."};
constexpr FlagRow shared[] = {data_flag, database_flag, json_flag};
constexpr FlagRow list_flags[] = {
    data_flag, database_flag, json_flag, {"--user", "NAME", "Of this user only."}};
constexpr FlagRow rotate_flags[] = {data_flag,
                                    database_flag,
                                    json_flag,
                                    {"--overlap", "SPAN", "How long the old value still works."},
                                    value_stdin};
constexpr FlagRow create_flags[] = {
    data_flag,
    database_flag,
    json_flag,
    {"--user", "NAME", "Whose token it is."},
    {"--name", "LABEL", "What it is for."},
    {"--role", "ROLE", "read, write or fine-grained."},
    {"--scope", "SCOPE", "KIND:NAME=PERMISSION,… such as model:lab/engine=repo.write.", FlagRow::Times::many},
    {"--expires", "SPAN", "Lifetime: 30d, 12h."},
    {"--environment", "NAME", "Bind it: it reaches only what is approved for that environment."},
    value_stdin};

}  // namespace

std::vector<Command> token_commands() {
  return {
      {"token create",
       "--user NAME --name LABEL --role read|write|fine-grained [--scope KIND:NAME=PERMISSION,…] [--expires "
       "30d] [--environment NAME] "
       "[--value-stdin] [--data DIR]",
       "Make an access token and print its value, once.",
       "holdfast token create --user ada --name ci --role fine-grained --scope model:lab/engine=repo.write",
       administers({create_flags, 0, 0}, create)},
      {"token list", "[--user NAME] [--data DIR] [--json]", "List tokens, without their values.",
       "holdfast token list --user ada", administers({list_flags, 0, 0}, list)},
      {"token revoke", "ID [--data DIR]", "Stop a token at once, in a running server within 0.25 s.",
       "holdfast token revoke 3", administers({shared, 1, 1}, revoke)},
      {"token rotate", "ID [--overlap 24h] [--value-stdin] [--data DIR]",
       "Give a token a new value; the old one works for the overlap.",
       "holdfast token rotate 3 --overlap 24h", administers({rotate_flags, 1, 1}, rotate)},
  };
}

}  // namespace holdfast::cli
