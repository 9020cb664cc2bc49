#include "cli/user.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>

#include "base/option_value.h"
#include "cli/administration.h"
#include "cli/text_table.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

using Run = const AdministrationRun&;

boost::json::object user_json(const identity::User& user) {
  return {{"name", user.name},         {"fullname", user.fullname},
          {"email", user.email},       {"admin", user.kind == identity::UserKind::administrator},
          {"disabled", user.disabled}, {"created", format_time(user.created)}};
}

Status create(Run run) {
  identity::NewUser wish{.name = std::string(run.positional(0)),
                         .fullname = std::string(run.arguments.value_or("--fullname", "")),
                         .email = std::string(run.arguments.value_or("--email", "")),
                         .kind = run.arguments.has("--admin") ? identity::UserKind::administrator
                                                              : identity::UserKind::ordinary};
  if (run.arguments.has("--password-stdin")) {
    TRY(wish.password, read_secret(run.world, "password"));
  }
  TRY(const identity::User user, run.instance.accounts().create_user(command_line_actor, wish));
  run.world.print(run.output == Output::json ? codec::to_text(user_json(user)) + "\n"
                                             : fmt::format("user {} created\n", user.name));
  return Done{};
}

Status list(Run run) {
  TRY(const std::vector<identity::User> users, run.instance.accounts().list_users());
  if (run.output == Output::json) {
    boost::json::array all;
    for (const identity::User& user : users) all.push_back(user_json(user));
    run.world.print(codec::to_text(all) + "\n");
    return Done{};
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "KIND", "CREATED", "E-MAIL", "FULL NAME"}};
  for (const identity::User& user : users) {
    const char* kind = user.disabled                                    ? "disabled"
                       : user.kind == identity::UserKind::administrator ? "admin"
                                                                        : "user";
    rows.push_back({user.name, kind, format_time(user.created), user.email, user.fullname});
  }
  run.world.print(text_table(rows));
  return Done{};
}

Status told(Run run, std::string_view what) {
  run.world.print(run.output == Output::json
                      ? codec::to_text(boost::json::object{{"name", run.positional(0)}}) + "\n"
                      : fmt::format("user {} {}\n", run.positional(0), what));
  return Done{};
}

Status disable(Run run) {
  TRY_DONE(run.instance.accounts().disable_user(command_line_actor, run.positional(0)));
  return told(run, "disabled");
}

Status enable(Run run) {
  TRY_DONE(run.instance.accounts().enable_user(command_line_actor, run.positional(0)));
  return told(run, "enabled");
}

Status set_password(Run run) {
  TRY(const Secret password, read_secret(run.world, "password"));
  TRY_DONE(run.instance.accounts().set_password(command_line_actor, run.positional(0), password));
  return told(run, "has a new password");
}

constexpr int64_t link_minutes = 15;

// Given to a browser in the part of the address that it sends to no server, and into no log.
Status sign_in_link(Run run) {
  std::chrono::minutes lifetime{link_minutes};
  if (const auto given = run.arguments.value("--expires")) {
    TRY(const auto wanted, parse_duration(*given));
    lifetime = std::chrono::duration_cast<std::chrono::minutes>(wanted);
  }
  std::vector<std::string> people;
  for (const std::string_view name : run.arguments.positionals()) people.emplace_back(name);
  TRY(const Secret link, run.instance.sessions().make_link(command_line_actor, people, lifetime));
  std::string_view server = run.arguments.value_or("--url", "http://127.0.0.1:8080");
  while (server.ends_with('/')) server.remove_suffix(1);
  const std::string url = fmt::format("{}/login#{}", server, link.reveal());
  run.world.print(run.output == Output::json ? codec::to_text(boost::json::object{{"url", url}}) + "\n"
                                             : url + "\n");
  return Done{};
}

constexpr FlagRow shared[] = {data_flag, database_flag, json_flag};
constexpr FlagRow create_flags[] = {
    data_flag,
    database_flag,
    json_flag,
    {"--fullname", "TEXT", "Shown beside the name."},
    {"--email", "E", "name@host."},
    {"--admin", "", "May administer the instance, with a write token."},
    {"--password-stdin", "", "Read a password from standard input's first line."}};
constexpr FlagRow link_flags[] = {data_flag,
                                  database_flag,
                                  json_flag,
                                  {"--url", "URL", "Where browsers reach the server; http://127.0.0.1:8080."},
                                  {"--expires", "TIME", "How long the link can be used: 15m; at most 24h."}};

}  // namespace

std::vector<Command> user_commands() {
  return {
      {"user create", "NAME [--email E] [--admin] [--fullname TEXT] [--password-stdin] [--data DIR]",
       "Add a user; makes the instance when the data folder holds none.",
       "holdfast user create ada --email ada@example.org --admin",
       administers({create_flags, 1, 1}, create, WhenMissing::create)},
      {"user list", "[--data DIR] [--json]", "List the users.", "holdfast user list --json",
       administers({shared, 0, 0}, list)},
      {"user disable", "NAME [--data DIR]", "Stop a user and all its tokens.", "holdfast user disable ada",
       administers({shared, 1, 1}, disable)},
      {"user enable", "NAME [--data DIR]", "Let a disabled user and its tokens work again.",
       "holdfast user enable ada", administers({shared, 1, 1}, enable)},
      {"user password", "NAME [--data DIR]", "Set a user's password to the first line of standard input.",
       "holdfast user password ada < password.txt", administers({shared, 1, 1}, set_password)},
      {"user sign-in-link", "NAME [NAME…] [--url URL] [--expires 15m] [--data DIR]",
       "Print an address that signs a browser in once; with several names it may switch among them.",
       "holdfast user sign-in-link ada --url https://hub.example.org",
       administers({link_flags, 1, identity::session_people_max}, sign_in_link)},
  };
}

}  // namespace holdfast::cli
