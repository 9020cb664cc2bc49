#include "cli/org.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/administration.h"
#include "cli/text_table.h"
#include "codec/json.h"
#include "identity/names.h"

namespace holdfast::cli {
namespace {

using Run = const AdministrationRun&;

std::string visibility_word(identity::Visibility visibility) {
  return visibility == identity::Visibility::private_ ? "private" : "public";
}

boost::json::object organisation_json(const identity::Organisation& organisation) {
  return {{"name", organisation.name},
          {"fullname", organisation.fullname},
          {"default_visibility", visibility_word(organisation.default_visibility)},
          {"created", format_time(organisation.created)}};
}

Status create(Run run) {
  const identity::NewOrganisation wish{.name = std::string(run.positional(0)),
                                       .fullname = std::string(run.arguments.value_or("--fullname", "")),
                                       .default_visibility = run.arguments.has("--private")
                                                                 ? identity::Visibility::private_
                                                                 : identity::Visibility::public_};
  TRY(const auto made, run.instance.accounts().create_organisation(command_line_actor, wish));
  run.world.print(run.output == Output::json ? codec::to_text(organisation_json(made)) + "\n"
                                             : fmt::format("organisation {} created\n", made.name));
  return Done{};
}

Status list(Run run) {
  TRY(const auto organisations, run.instance.accounts().list_organisations());
  if (run.output == Output::json) {
    boost::json::array all;
    for (const auto& each : organisations) all.push_back(organisation_json(each));
    run.world.print(codec::to_text(all) + "\n");
    return Done{};
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "NEW REPOSITORIES", "CREATED", "FULL NAME"}};
  for (const auto& each : organisations)
    rows.push_back(
        {each.name, visibility_word(each.default_visibility), format_time(each.created), each.fullname});
  run.world.print(text_table(rows));
  return Done{};
}

Status told(Run run, std::string_view people, const boost::json::object& json) {
  run.world.print(run.output == Output::json ? codec::to_text(json) + "\n" : std::string(people) + "\n");
  return Done{};
}

Status member_add(Run run) {
  const auto word = run.arguments.value("--role");
  if (!word) return fail(Reason::bad_request, "--role is missing: read, contributor, write or admin");
  const auto role = identity::org_role_of(*word);
  if (!role)
    return fail(Reason::bad_request, fmt::format("'{}' is no role: read, contributor, write, admin", *word));
  const std::string_view organisation = run.positional(0), user = run.positional(1);
  TRY_DONE(run.instance.accounts().set_member(command_line_actor, organisation, user, *role));
  return told(run, fmt::format("{} is in {} with the role {}", user, organisation, *word),
              {{"organisation", organisation}, {"user", user}, {"role", *word}});
}

Status member_remove(Run run) {
  const std::string_view organisation = run.positional(0), user = run.positional(1);
  TRY_DONE(run.instance.accounts().remove_member(command_line_actor, organisation, user));
  return told(run, fmt::format("{} is no longer in {}", user, organisation),
              {{"organisation", organisation}, {"user", user}});
}

Status member_list(Run run) {
  TRY(const auto members, run.instance.accounts().members(run.positional(0)));
  boost::json::array all;
  std::vector<std::vector<std::string>> rows{{"USER", "ROLE", "FULL NAME"}};
  for (const identity::Member& member : members) {
    const std::string role(identity::org_role_name(member.role));
    all.push_back(boost::json::object{{"user", member.user}, {"role", role}, {"fullname", member.fullname}});
    rows.push_back({member.user, role, member.fullname});
  }
  run.world.print(run.output == Output::json ? codec::to_text(all) + "\n" : text_table(rows));
  return Done{};
}

constexpr FlagRow shared[] = {data_flag, database_flag, json_flag};
constexpr FlagRow create_flags[] = {
    data_flag,
    database_flag,
    json_flag,
    {"--fullname", "TEXT", "Shown beside the name."},
    {"--private", "", "New repositories are private unless they say otherwise."}};
constexpr FlagRow role_flags[] = {
    data_flag, database_flag, json_flag, {"--role", "R", "read, contributor, write or admin."}};

}  // namespace

std::vector<Command> org_commands() {
  return {
      {"org create", "NAME [--fullname TEXT] [--private] [--data DIR]", "Add an organisation.",
       "holdfast org create lab --private", administers({create_flags, 1, 1}, create)},
      {"org list", "[--data DIR] [--json]", "List the organisations.", "holdfast org list",
       administers({shared, 0, 0}, list)},
      {"org member add", "ORG USER --role read|contributor|write|admin [--data DIR]",
       "Add a user to an organisation, or change its role.", "holdfast org member add lab ada --role write",
       administers({role_flags, 2, 2}, member_add)},
      {"org member remove", "ORG USER [--data DIR]", "Remove a user from an organisation.",
       "holdfast org member remove lab ada", administers({shared, 2, 2}, member_remove)},
      {"org member list", "ORG [--data DIR] [--json]", "List an organisation's members.",
       "holdfast org member list lab", administers({shared, 1, 1}, member_list)},
  };
}

}  // namespace holdfast::cli
