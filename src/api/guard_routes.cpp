#include "api/guard_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "codec/json.h"
#include "repo/clearance.h"
#include "repo/held_release.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 16 << 10;

json::object release_view(const git::ObjectId& commit, const repo::HeldRelease& release) {
  json::object out{{"commit", commit.hex()},
                   {"state", repo::held_release_name(release.state)},
                   {"by", release.by},
                   {"reason", release.reason},
                   {"at", format_time(release.at)}};
  if (!release.confirmed_by.empty()) {
    out["confirmedBy"] = release.confirmed_by;
    out["confirmedAt"] = format_time(release.confirmed_at);
  }
  return out;
}

Result<Response> release(Services& services, const Call& call) {
  const repo::Repository& repository = call.repo();
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const auto reason, codec::json_text_if(body, "reason"));
  TRY(const git::Repository objects, services.hub.storage.open(repository.id));
  TRY(const repo::Revision revision,
      repo::find_revision(services.hub.publisher, objects, repository.id, call.capture("rev")));
  TRY(const repo::RevisionVerdict verdict, services.hub.checks.verdict(repository, objects, revision.commit));
  if (verdict.standing != repo::Standing::held)
    return fail(Reason::precondition_failed, "the revision is not held");
  TRY(const repo::HeldRelease released,
      repo::release_held({.database = services.database,
                          .audit = services.audit,
                          .clock = services.clock,
                          .people = services.hub.checks.policy().release},
                         call.caller, repository, revision.commit, reason.value_or("")));
  return json_answer(release_view(revision.commit, released));
}

json::object clearance_view(const repo::Clearance& clearance) {
  json::array kinds;
  for (const scan::SensitiveKind kind : clearance.kinds) kinds.emplace_back(scan::sensitive_name(kind));
  json::object out{{"kinds", std::move(kinds)}};
  if (clearance.by.empty()) return out;
  out["by"] = clearance.by;
  out["reason"] = clearance.reason;
  out["at"] = format_time(clearance.at);
  return out;
}

Result<Response> show_clearance(Services& services, const Call& call) {
  TRY(const repo::Clearance clearance, repo::clearance_of(services.database, call.repo().id));
  return json_answer(clearance_view(clearance));
}

Result<Response> set_clearance(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const auto reason, codec::json_text_if(body, "reason"));
  TRY(const json::array* named, codec::json_array(body, "kinds"));
  std::vector<scan::SensitiveKind> kinds;
  for (const json::value& each : *named) {
    const auto kind =
        each.is_string() ? scan::sensitive_of_name(each.get_string()) : std::optional<scan::SensitiveKind>();
    if (!kind)
      return fail(Reason::bad_request,
                  "\"kinds\" are among credentials, identity, payment, health, contacts and marked");
    kinds.push_back(*kind);
  }
  TRY_DONE(repo::clear_for(services.database, services.audit, services.clock, call.caller, call.repo(), kinds,
                           reason.value_or("")));
  return show_clearance(services, call);
}

}  // namespace

void add_guard_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       ServiceHandler handler) {
    table.add(method, pattern, name, access, std::string_view(method) == "GET" ? 0 : body_bytes_max, services,
              handler);
  };
  add("POST", "/api/{T}/{id}/held/{rev}/release", "held_release", Access::repo_admin, release);
  add("GET", "/api/{T}/{id}/clearance", "clearance", Access::repo_read, show_clearance);
  add("PUT", "/api/{T}/{id}/clearance", "clearance_set", Access::repo_admin, set_clearance);
}

}  // namespace holdfast::api
