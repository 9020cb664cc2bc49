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
#include "identity/token_ages.h"

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
          {"found_in", token.found_in},
          {"warns", time_json(token.warns)},
          {"ends", time_json(token.ends)},
          {"ends_by", token.ends_by},
          {"own_age", token.own_age.has_value()},
          {"replaced_by", token.replaced_by ? boost::json::value(token.replaced_by->raw) : nullptr}};
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
  if (token.expires && *token.expires <= now) return "expired";
  if (token.ended_by_age(now)) return "too old";
  if (token.replaced_by) return "replaced";
  return token.is_ageing(now) ? "ageing" : "live";
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
  std::vector<std::vector<std::string>> rows{{"ID", "USER", "ROLE", "STATE", "ENDS", "LAST USED", "NAME"}};
  for (const TokenInfo& token : tokens)
    rows.push_back({std::to_string(token.id.raw), token.user_name, std::string(token_role_name(token.role)),
                    state_word(token, run.world.clock().wall()), shown(token.ends), shown(token.last_used),
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

// Whose rule is spoken of: a token's, an organisation's, else the server's.
Result<std::optional<identity::TokenId>> one_token(Run run) {
  const auto text = run.arguments.value("--token");
  if (!text) return std::optional<identity::TokenId>();
  if (run.arguments.value("--org"))
    return fail(Reason::bad_request, "a rule is of one token or of an organisation: --token or --org");
  TRY(const identity::TokenId id, token_id(*text));
  return std::optional(id);
}

std::string span_text(const std::optional<std::chrono::milliseconds>& span) {
  return span ? format_duration(*span) : "never";
}

boost::json::object rule_json(std::string_view organisation, const identity::AgeRule& rule) {
  return {{"for", organisation.empty() ? "this server" : organisation},
          {"warn", span_text(rule.warn)},
          {"end", span_text(rule.end)}};
}

Status age_set(Run run) {
  TRY(const auto token, one_token(run));
  identity::AgeRule rule;
  for (const auto& [flag, span] : {std::pair{"--warn", &rule.warn}, std::pair{"--end", &rule.end}})
    if (const auto text = run.arguments.value(flag)) {
      TRY(*span, parse_duration(*text));
    }
  if (run.arguments.has("--never") && (!token || rule.warn || rule.end))
    return fail(Reason::bad_request, "--never is for one token, which it frees of every rule");
  if (token && !rule.warn && !rule.end && !run.arguments.has("--never"))
    return fail(Reason::bad_request, "say --warn and --end, or --never");
  identity::TokenAges ages(run.instance.database(), run.instance.audit(), run.world.clock());
  const std::string_view organisation = run.arguments.value_or("--org", "");
  if (token) {
    TRY(rule, ages.set_own(command_line_actor, *token, rule));
  } else {
    TRY(rule, ages.set(command_line_actor, organisation, rule));
  }
  TRY(const size_t ended, ages.ended());
  const std::string whose = token ? fmt::format("token {}", token->raw) : std::string(organisation);
  if (run.output == Output::json) {
    boost::json::object answer = rule_json(whose, rule);
    answer["too_old"] = ended;
    run.world.print(codec::to_text(answer) + "\n");
    return Done{};
  }
  run.world.print(fmt::format("{}: warned of from {}, refused from {}; {} live tokens here are too old now\n",
                              whose.empty() ? "tokens of this server" : whose, span_text(rule.warn),
                              span_text(rule.end), ended));
  return Done{};
}

Status age_clear(Run run) {
  TRY(const auto token, one_token(run));
  identity::TokenAges ages(run.instance.database(), run.instance.audit(), run.world.clock());
  if (token) return ages.clear_own(command_line_actor, *token);
  return ages.clear(command_line_actor, run.arguments.value_or("--org", ""));
}

Status age_list(Run run) {
  identity::TokenAges ages(run.instance.database(), run.instance.audit(), run.world.clock());
  TRY(const auto rules, ages.list());
  TRY(const std::vector<TokenInfo> tokens, run.instance.tokens().list(std::nullopt));
  boost::json::array all;
  std::vector<std::vector<std::string>> rows{{"FOR", "WARN", "END"}};
  const auto add = [&](const std::string& whose, const identity::AgeRule& rule) {
    all.push_back(rule_json(whose, rule));
    rows.push_back({whose.empty() ? "this server" : whose, span_text(rule.warn), span_text(rule.end)});
  };
  for (const identity::AgeRuleInfo& each : rules) add(each.organisation, each.rule);
  for (const TokenInfo& each : tokens)
    if (each.own_age && !each.revoked) add(fmt::format("token {}", each.id.raw), *each.own_age);
  run.world.print(run.output == Output::json ? codec::to_text(all) + "\n" : text_table(rows));
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
constexpr FlagRow org_age_flag{"--org", "NAME", "Of its members' tokens; else of all."},
    token_age_flag{"--token", "ID", "Of one token, in place of all other rules."};
constexpr FlagRow age_set_flags[] = {data_flag,
                                     database_flag,
                                     json_flag,
                                     org_age_flag,
                                     token_age_flag,
                                     {"--warn", "SPAN", "From this age its user is told."},
                                     {"--end", "SPAN", "From this age it is refused."},
                                     {"--never", "", "It may grow as old as it likes."}};
constexpr FlagRow age_clear_flags[] = {data_flag, database_flag, json_flag, org_age_flag, token_age_flag};
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
      {"token age set", "[--org NAME|--token ID] [--warn 60d] [--end 90d] [--never] [--data DIR]",
       "How old tokens may become: from when their users are told, and from when they are refused.",
       "holdfast token age set --warn 60d --end 90d", administers({age_set_flags, 0, 0}, age_set)},
      {"token age clear", "[--org NAME|--token ID] [--data DIR]", "Take such a rule back.",
       "holdfast token age clear --org lab", administers({age_clear_flags, 0, 0}, age_clear)},
      {"token age list", "[--data DIR] [--json]", "List these rules.", "holdfast token age list",
       administers({shared, 0, 0}, age_list)},
  };
}

}  // namespace holdfast::cli
