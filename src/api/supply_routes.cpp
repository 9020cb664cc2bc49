#include "api/supply_routes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/card_changes.h"
#include "api/error_answer.h"
#include "api/services.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "git/tree_list.h"
#include "identity/audit_search.h"
#include "identity/permission.h"
#include "repo/held.h"
#include "repo/hub.h"
#include "repo/revisions.h"
#include "scan/card_diff.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr size_t card_bytes_max = 1 << 20, files_max = 50;

// What holds it: the dangerous findings of its files and its card.
Result<json::object> held_view(const repo::HeldRevision& held) {
  TRY(const json::object verdict, codec::parse_json_object(held.verdict, {.bytes_max = 64 << 20}));
  const auto dangerous = [](const json::value& findings) {
    json::array out;
    for (const json::value& each : findings.as_array())
      if (each.at("severity").as_string() == "dangerous") out.push_back(each);
    return out;
  };
  json::array files;
  for (const json::value& file : verdict.at("files").as_array()) {
    if (files.size() >= files_max) break;
    json::array findings = dangerous(file.at("findings"));
    if (!findings.empty())
      files.push_back(json::object{{"path", file.at("path")}, {"findings", std::move(findings)}});
  }
  if (json::array card = dangerous(verdict.at("card").at("findings")); !card.empty())
    files.push_back(json::object{{"path", "README.md"}, {"findings", std::move(card)}});
  return json::object{{"repository", held.repository.full_name()},
                      {"type", repo::type_name(held.repository.type)},
                      {"commit", held.commit},
                      {"since", format_time(held.since)},
                      {"released", verdict.contains("released") ? verdict.at("released") : json::value()},
                      {"reasons", verdict.at("reasons")},
                      {"files", std::move(files)}};
}

Result<Response> held(Services& services, const Call& call) {
  TRY(const repo::HeldRevisions all, repo::held_revisions(services.database, services.hub));
  json::array out;
  for (const repo::HeldRevision& each : all.held) {
    if (!services.hub.rights.may_see(call.caller, each.repository)) continue;
    TRY(json::object view, held_view(each));
    view["mayMend"] = services.hub.rights.may_write(call.caller, each.repository);
    view["mayRelease"] = services.hub.rights.may_administer(call.caller, each.repository);
    out.push_back(std::move(view));
  }
  return json_answer(json::object{{"held", std::move(out)}, {"unseen", all.unseen}});
}

// Whoever administers the instance reads all of the log; whoever administers a repository what tells of it.
Status check_may_read(const Services& services, const Call& call, std::string_view subject) {
  if (services.permission.may_administer_instance(call.caller)) return Done{};
  const size_t colon = subject.find(':');
  const auto type = repo::type_of_name(subject.substr(0, colon));
  if (colon != std::string_view::npos && type) {
    TRY(const repo::RepoName name, repo::parse_repo_name(*type, subject.substr(colon + 1)));
    TRY(const auto found, services.hub.repositories.find(name.type, name.ns, name.name));
    if (found && services.hub.rights.may_administer(call.caller, *found)) return Done{};
  }
  return fail(Reason::forbidden,
              "the audit log is read by administrators: of the instance, or of the repository that "
              "\"subject\" names");
}

Result<Response> audit(Services& services, const Call& call) {
  const net::Query query = call.query();
  const std::string subject(query.get("subject")), action(query.get("action"));
  TRY_DONE(check_may_read(services, call, subject));
  const auto number = [&](const char* key) -> Result<int64_t> {
    const std::string text(query.get(key));
    int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (!text.empty() && (error != std::errc() || end != text.data() + text.size() || out < 1))
      return fail(Reason::bad_request, fmt::format("\"{}\" must be a number of 1 or more", key));
    return out;
  };
  TRY(const int64_t before, number("before"));
  TRY(const int64_t limit, number("limit"));
  TRY(const auto rows,
      identity::search_audit(
          services.database,
          {.subject = subject, .action = action, .before = before, .rows_max = limit == 0 ? 100 : limit}));
  json::array out;
  for (const identity::AuditRow& row : rows) {
    TRY(json::value details, codec::parse_json(row.details));
    out.push_back(json::object{{"number", row.number},
                               {"at", format_time(row.at)},
                               {"actor", row.actor},
                               {"action", row.action},
                               {"subject", row.subject},
                               {"details", std::move(details)},
                               {"hash", codec::to_hex(row.hash)}});
  }
  return json_answer(json::object{{"entries", std::move(out)}});
}

// The card of a revision; empty where it has none.
struct Card {
  std::string commit, text;
};
Result<Card> card_of(Services& services, const Call& call, const git::Repository& objects,
                     std::string_view name) {
  TRY(const repo::Revision revision,
      repo::find_revision(services.hub.publisher, objects, call.repo().id, name));
  Card out{.commit = revision.commit.hex(), .text = {}};
  TRY(const auto entry, git::find_entry(objects, revision.commit, "README.md"));
  if (!entry) return out;
  TRY(out.text, objects.read_blob(entry->id, card_bytes_max));
  return out;
}

Result<Response> card_diff(Services& services, const Call& call) {
  TRY_DONE(check_may_compare(call));
  const net::Query query = call.query();
  TRY(const git::Repository objects, services.hub.storage.open(call.repo().id));
  const std::string from(query.get("from")), to(query.get("to"));
  if (from.empty()) return fail(Reason::bad_request, "\"from\" is missing: the revision to compare with");
  TRY(const Card before, card_of(services, call, objects, from));
  TRY(const Card after, card_of(services, call, objects, to.empty() ? "main" : to));
  const auto changes = scan::diff_cards(before.text, after.text);
  return json_answer(
      json::object{{"from", before.commit}, {"to", after.commit}, {"changes", card_changes_view(changes)}});
}

}  // namespace

void add_supply_routes(RouteTable& table, Services& services) {
  table.add("GET", "/api/held", "held", Access::signed_in, 0, services, held);
  table.add("GET", "/api/audit", "audit_entries", Access::signed_in, 0, services, audit);
  table.add("GET", "/api/{T}/{id}/card-diff", "repo_card_diff", Access::repo_content, 0, services, card_diff);
}

}  // namespace holdfast::api
