#include "api/kinship_routes.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/route_rows.h"
#include "api/services.h"
#include "codec/json.h"
#include "govern/blast_radius.h"
#include "repo/hub.h"
#include "repo/kinship.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using repo::Relative;

constexpr uint64_t body_bytes_max = 64 << 10;

json::object relative_view(const Relative& relative) {
  return {{"repository", relative.repository.full_name()},
          {"type", repo::type_name(relative.repository.type)},
          {"created", format_time(relative.repository.created)},
          {"sameFiles", relative.files},
          {"sharedTensors", relative.tensors},
          {"sharedBytes", relative.bytes},
          {"share", relative.share},
          {"declared", relative.declared},
          {"paths", json::array(relative.paths.begin(), relative.paths.end())}};
}

// What the asker may not see is left out, and so is its number.
void keep_visible(Services& services, const Call& call, std::vector<Relative>& relatives) {
  std::erase_if(relatives, [&](const Relative& each) {
    return !services.hub.rights.may_see(call.caller, each.repository);
  });
}

// A relative that neither card names is "undeclared"; the older of two is the likelier source.
Result<Response> relatives(Services& services, repo::Kinship& kinship, const Call& call) {
  TRY(auto found, kinship.relatives(call.repo()));
  keep_visible(services, call, found);
  json::array out;
  for (const Relative& each : found) {
    json::object view = relative_view(each);
    view["older"] = each.repository.created < call.repo().created;
    out.emplace_back(std::move(view));
  }
  return json_answer(json::object{{"repository", call.repo().full_name()}, {"relatives", std::move(out)}});
}

Result<Response> blast_radius(Services& services, repo::Kinship& kinship, const Call& call) {
  const net::Query query = call.query();
  std::vector<Relative> holders;
  if (const auto sha256 = query.find("sha256")) {
    TRY(holders, kinship.holders(*sha256));
  } else {
    const auto type = repo::type_of_name(query.find("type").value_or("model"));
    if (!type) return fail(Reason::bad_request, "\"type\" must be one of [model, dataset, space]");
    TRY(const repo::RepoName name, repo::parse_repo_name(*type, query.get("repository")));
    TRY(const auto asked, services.hub.repositories.find(name.type, name.ns, name.name));
    if (!asked || !services.hub.rights.may_see(call.caller, *asked))
      return fail(Reason::repo_not_found, "Repository not found");
    TRY(holders, kinship.relatives(*asked));
    Relative own;
    own.repository = *asked;
    own.share = 1;
    TRY(own.sha256, kinship.files_of(*asked));
    holders.insert(holders.begin(), std::move(own));
  }
  keep_visible(services, call, holders);
  TRY(const govern::BlastRadius radius, govern::blast_radius(services.database, services.hub, holders));
  json::array repositories, releases, endpoints;
  for (const Relative& each : holders) repositories.emplace_back(relative_view(each));
  for (const govern::AffectedRelease& each : radius.releases)
    releases.emplace_back(json::object{{"record", each.record},
                                       {"number", each.number},
                                       {"state", each.state},
                                       {"model", each.model},
                                       {"revision", each.revision}});
  for (const govern::AffectedEndpoint& each : radius.endpoints)
    endpoints.emplace_back(json::object{
        {"id", each.id}, {"record", each.record}, {"model", each.model}, {"revision", each.revision}});
  return json_answer(json::object{{"repositories", std::move(repositories)},
                                  {"releases", std::move(releases)},
                                  {"endpoints", std::move(endpoints)}});
}

Result<Response> withdrawn(Services& services, repo::Kinship& kinship, const Call& call) {
  TRY(const auto all, kinship.withdrawn());
  json::array out;
  for (const repo::Withdrawn& each : all) {
    TRY(auto holders, kinship.holders(each.sha256));
    keep_visible(services, call, holders);
    json::array views;
    for (const Relative& holder : holders) views.emplace_back(relative_view(holder));
    out.emplace_back(json::object{{"sha256", each.sha256},
                                  {"reason", each.reason},
                                  {"by", each.by},
                                  {"at", format_time(each.at)},
                                  {"holders", std::move(views)}});
  }
  return json_answer(json::object{{"withdrawn", std::move(out)}});
}

Result<Response> withdraw(repo::Kinship& kinship, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view sha256, codec::json_text(body, "sha256"));
  TRY(const std::string_view reason, codec::json_text(body, "reason"));
  TRY_DONE(kinship.withdraw(call.caller.name, sha256, reason));
  return json_answer(json::object{{"sha256", sha256}, {"withdrawn", true}});
}

}  // namespace

void add_kinship_routes(RouteTable& table, Services& services, repo::Kinship& kinship) {
  const auto add = route_adder(table, body_bytes_max);
  add("GET", "/api/{T}/{id}/relatives", "repo_relatives", Access::repo_read,
      [&](const Call& call) { return relatives(services, kinship, call); });
  add("GET", "/api/blast-radius", "blast_radius", Access::signed_in,
      [&](const Call& call) { return blast_radius(services, kinship, call); });
  add("GET", "/api/withdrawn", "withdrawn", Access::instance_admin,
      [&](const Call& call) { return withdrawn(services, kinship, call); });
  add("POST", "/api/withdrawn", "withdraw", Access::instance_admin,
      [&](const Call& call) { return withdraw(kinship, call); });
}

}  // namespace holdfast::api
