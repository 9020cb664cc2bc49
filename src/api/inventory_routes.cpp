#include "api/inventory_routes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "api/error_answer.h"
#include "api/services.h"
#include "codec/json.h"
#include "content/hash.h"
#include "govern/host_reports.h"
#include "govern/inventory.h"
#include "repo/hub.h"
#include "repo/repositories.h"
#include "repo/search.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 128 << 10;
constexpr uint64_t report_bytes_max = 8 << 20;
constexpr size_t digests_max = 1000, path_bytes_max = 4096;

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

// Who holds which bytes, by address, as far as the caller may see it.
Result<govern::Holders> holders_seen(Services& services, const identity::Caller& caller,
                                     const std::vector<std::string>& digests) {
  TRY(const auto found, govern::holders_of(services.database, digests));
  std::map<int64_t, std::string> names;  // Empty: not to be seen.
  govern::Holders seen;
  for (const auto& [digest, repositories] : found)
    for (const int64_t id : repositories) {
      auto [name, fresh] = names.try_emplace(id);
      if (fresh) {
        TRY(const auto repository, services.hub.repositories.find(repo::RepoId{id}));
        if (repository && services.hub.rights.may_see(caller, *repository))
          name->second = std::string(repo::url_prefix(repository->type)) + repository->full_name();
      }
      if (!name->second.empty()) seen[digest].push_back(name->second);
    }
  return seen;
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
  TRY(const govern::Holders found, holders_seen(services, call.caller, digests));
  json::object out;
  for (const auto& [digest, names] : found) out[digest] = json::array(names.begin(), names.end());
  return json_answer(json::object{{"holders", std::move(out)}});
}

Result<std::string> short_text(const json::object& from, std::string_view key) {
  TRY(const std::string_view text, codec::json_text(from, key));
  if (text.size() > path_bytes_max)
    return fail(Reason::bad_request, fmt::format("\"{}\" is longer than {} bytes", key, path_bytes_max));
  return std::string(text);
}

Result<govern::FoundModel> found_model(const json::value& value) {
  if (!value.is_object()) return fail(Reason::bad_request, "\"models\" must hold objects");
  const json::object& from = value.get_object();
  govern::FoundModel model;
  TRY(const std::string type, short_text(from, "type"));
  model.dataset = type == "dataset";
  if (!model.dataset && type != "model")
    return fail(Reason::bad_request, "\"type\" must be one of [model, dataset]");
  TRY(model.folder, short_text(from, "folder"));
  TRY(model.source, short_text(from, "source"));
  TRY(model.claims, short_text(from, "claims"));
  TRY(const json::array* files, codec::json_array(from, "files"));
  for (const json::value& each : *files) {
    if (!each.is_object()) return fail(Reason::bad_request, "\"files\" must hold objects");
    govern::FoundFile file;
    TRY(file.path, short_text(each.get_object(), "path"));
    TRY(const int64_t size, codec::json_integer(each.get_object(), "size"));
    if (size < 0) return fail(Reason::bad_request, "a file's size is 0 or more");
    file.size = static_cast<uint64_t>(size);
    TRY(file.sha256, short_text(each.get_object(), "sha256"));
    TRY([[maybe_unused]] const auto digest, content::parse_sha256(file.sha256));
    model.files.push_back(std::move(file));
  }
  return model;
}

govern::HostReports reports_of(Services& services) {
  return {services.database, services.audit, services.clock};
}

Result<Response> report_host(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* told, codec::json_array(body, "models"));
  std::vector<govern::FoundModel> models;
  for (const json::value& each : *told) {
    TRY(govern::FoundModel model, found_model(each));
    models.push_back(std::move(model));
  }
  TRY_DONE(reports_of(services).put(call.caller, call.capture("host"), models));
  return json_answer(json::object{{"host", call.capture("host")}, {"models", models.size()}});
}

Result<Response> list_hosts(Services& services, const Call& call) {
  TRY(const auto hosts, reports_of(services).list(call.caller));
  json::array out;
  for (const govern::HostReport& each : hosts)
    out.emplace_back(json::object{{"host", each.host},
                                  {"reportedBy", each.reporter_name},
                                  {"reportedAt", format_time(each.reported)},
                                  {"models", each.models}});
  return json_answer(json::object{{"hosts", std::move(out)}});
}

// Judged by what the hub holds now and this caller may see, not by what was so when it was reported.
Result<Response> show_host(Services& services, const Call& call) {
  TRY(const auto models, reports_of(services).find(call.caller, call.capture("host")));
  std::vector<std::string> digests;
  for (const govern::FoundModel& model : models)
    for (const govern::FoundFile& file : model.files) digests.push_back(file.sha256);
  TRY(const govern::Holders held, holders_seen(services, call.caller, digests));
  const auto is_known = [&](const std::string& address) {
    const bool dataset = address.starts_with("datasets/");
    const std::string name = dataset ? address.substr(std::string_view("datasets/").size()) : address;
    const size_t slash = name.find('/');
    if (slash == std::string::npos) return false;
    const auto found =
        services.hub.repositories.find(dataset ? repo::RepoType::dataset : repo::RepoType::model,
                                       name.substr(0, slash), name.substr(slash + 1));
    return found.ok() && found.value() && services.hub.rights.may_see(call.caller, *found.value());
  };
  json::array out;
  for (const govern::FoundModel& model : models) {
    std::vector<std::string> own;
    uint64_t bytes = 0;
    for (const govern::FoundFile& file : model.files) {
      own.push_back(file.sha256);
      bytes += file.size;
    }
    const govern::Judged judged = govern::judge_found(model.dataset, model.claims, own, held, is_known);
    out.emplace_back(json::object{{"state", judged.state},
                                  {"type", model.dataset ? "dataset" : "model"},
                                  {"folder", model.folder},
                                  {"source", model.source},
                                  {"claims", model.claims},
                                  {"repository", judged.repository},
                                  {"filesKnown", judged.files_known},
                                  {"files", model.files.size()},
                                  {"bytes", bytes}});
  }
  return json_answer(json::object{{"host", call.capture("host")}, {"models", std::move(out)}});
}

Result<Response> forget_host(Services& services, const Call& call) {
  TRY_DONE(reports_of(services).remove(call.caller, call.capture("host")));
  return json_answer(json::object{});
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
  table.add("GET", "/api/inventory/hosts", "inventory_hosts", Access::signed_in, 0, services, list_hosts);
  table.add("GET", "/api/inventory/hosts/{host}", "inventory_host", Access::signed_in, 0, services,
            show_host);
  table.add("PUT", "/api/inventory/hosts/{host}", "inventory_host_report", Access::signed_in_write,
            report_bytes_max, services, report_host);
  table.add("DELETE", "/api/inventory/hosts/{host}", "inventory_host_forget", Access::signed_in_write, 0,
            services, forget_host);
}

}  // namespace holdfast::api
