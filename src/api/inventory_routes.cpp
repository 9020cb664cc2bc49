#include "api/inventory_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/services.h"
#include "codec/json.h"
#include "content/hash.h"
#include "govern/inventory.h"
#include "repo/hub.h"
#include "repo/repositories.h"
#include "repo/search.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 128 << 10;
constexpr size_t digests_max = 1000;

// The card's licence, or licences; null where it names none.
json::value licence_of(const repo::Card& card) {
  const auto data = codec::parse_json_object(card.data);
  if (!data.ok()) return nullptr;
  const json::value* licence = data.value().if_contains("license");
  return licence == nullptr ? json::value(nullptr) : *licence;
}

json::object item_view(const repo::SearchHit& hit, const govern::Use* use) {
  json::object view{{"repository", hit.repository.full_name()},
                    {"type", repo::type_name(hit.repository.type)},
                    {"owner", hit.repository.ns},
                    {"visibility", repo::visibility_name(hit.repository.visibility)},
                    {"revision", hit.card.commit},
                    {"licence", licence_of(hit.card)},
                    {"usedBy", json::array()},
                    {"validated", nullptr}};
  if (use == nullptr) return view;
  view["usedBy"] = json::array(use->by.begin(), use->by.end());
  if (!use->evaluation.empty())
    view["validated"] = json::object{{"at", format_time(use->evaluated)}, {"release", use->evaluation}};
  return view;
}

const govern::Use* use_of(const govern::Uses& uses, const repo::Repository& repository) {
  if (repository.type == repo::RepoType::model) {
    const auto found = uses.models.find(repository.id.raw);
    return found == uses.models.end() ? nullptr : &found->second;
  }
  const auto found = uses.data_sets.find(repository.full_name());
  return found == uses.data_sets.end() ? nullptr : &found->second;
}

Result<Response> list(Services& services, govern::Registry& registry, const Call& call) {
  const net::Query query = call.query();
  const auto type = repo::type_of_name(query.find("type").value_or("model"));
  if (!type || *type == repo::RepoType::space)
    return fail(Reason::bad_request, "\"type\" must be one of [model, dataset]");
  repo::SearchQuery wanted{.type = *type, .after = std::string(query.find("cursor").value_or(""))};
  TRY(const repo::SearchPage page, services.hub.search.find(call.caller, wanted));
  TRY(const govern::Uses uses, govern::uses_seen_by(registry, services.database, call.caller));
  json::array items;
  for (const repo::SearchHit& hit : page.hits)
    items.emplace_back(item_view(hit, use_of(uses, hit.repository)));
  json::object answer{{"items", std::move(items)}};
  if (!page.next.empty()) answer["next"] = page.next;
  return json_answer(answer);
}

Result<Response> holders(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* asked, codec::json_array(body, "sha256"));
  if (asked->size() > digests_max) return fail(Reason::bad_request, "at most 1000 digests at once");
  std::vector<std::string> digests;
  for (const json::value& each : *asked) {
    if (!each.is_string()) return fail(Reason::bad_request, "\"sha256\" must hold texts");
    TRY([[maybe_unused]] const auto digest, content::parse_sha256(each.get_string()));
    digests.emplace_back(each.get_string());
  }
  TRY(const auto found, govern::holders_of(services.database, digests));
  json::object out;
  for (const auto& [digest, repositories] : found) {
    json::array names;
    for (const int64_t id : repositories) {
      TRY(const auto repository, services.hub.repositories.find(repo::RepoId{id}));
      if (repository && services.hub.rights.may_see(call.caller, *repository))
        names.emplace_back(std::string(repo::url_prefix(repository->type)) + repository->full_name());
    }
    if (!names.empty()) out[digest] = std::move(names);
  }
  return json_answer(json::object{{"holders", std::move(out)}});
}

}  // namespace

void add_inventory_routes(RouteTable& table, Services& services, govern::Registry& registry) {
  table.add({.method = "GET",
             .pattern = "/api/inventory",
             .name = "inventory",
             .access = Access::signed_in,
             .handle = [&](const Call& call) { return list(services, registry, call); }});
  table.add("POST", "/api/inventory/holders", "inventory_holders", Access::signed_in, body_bytes_max,
            services, holders);
}

}  // namespace holdfast::api
