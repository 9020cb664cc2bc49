#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>

#include "api/error_answer.h"
#include "api/hub_checks.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/reported_results.h"
#include "api/services.h"
#include "codec/header_text.h"
#include "codec/percent.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr int64_t page_default = 1000, full_page_max = 100;
constexpr size_t siblings_max = 100'000;

bool wants(std::span<const std::string_view> expand, std::string_view name) {
  return std::ranges::find(expand, name) != expand.end();
}

Result<int64_t> used_storage(Services& services, repo::RepoId id) {
  int64_t bytes = 0;
  TRY_DONE(services.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT COALESCE(SUM(size), 0) FROM repo_objects WHERE repo = ?", {id.raw},
                    [&](const sql::Row& row) {
                      bytes = row.integer(0);
                      return false;
                    });
  }));
  return bytes;
}

// The card as kept when it is the head of main, else read from the files.
Result<repo::Card> card_of(Services& services, const repo::Repository& repository,
                           const git::Repository& objects, const git::ObjectId& commit) {
  TRY(auto kept, services.hub.cards.read(repository.id));
  if (kept && kept->commit == commit.hex()) return std::move(*kept);
  return services.hub.cards.describe(repository, objects, commit);
}

Result<Response> info(Services& services, const Call& call) {
  const repo::Repository& repository = call.repo();
  const net::Query query = call.query();
  const std::vector<std::string_view> expand = query.all("expand");
  for (const std::string_view name : expand)
    if (!knows_property(repository.type, name)) return pick_properties({}, repository.type, expand).error();
  TRY(const git::Repository objects, services.hub.storage.open(repository.id));
  const std::string_view wanted = call.capture("rev");
  TRY(const repo::Revision revision, repo::find_revision(services.hub.publisher, objects, repository.id,
                                                         wanted.empty() ? std::string_view("main") : wanted));
  TRY(const repo::Card card, card_of(services, repository, objects, revision.commit));
  // A commit of an upstream keeps the name that it has there.
  const bool by_commit = revision.ref.empty() && wanted.size() == 40;
  json::object view = repo_view(repository, card, by_commit ? std::string(wanted) : revision.commit.hex());
  view["lastModified"] = format_time(card.modified);
  TRY_DONE(label_results_of(services, repository, objects, revision.commit, view));
  if (expand.empty() || wants(expand, "siblings")) {
    if (query.flag("blobs")) {
      TRY(const auto files, services.hub.browser.files(repository, objects, revision.commit, siblings_max));
      view["siblings"] = siblings_view(files);
    } else {
      TRY(const auto paths, repo::Browser::paths(objects, revision.commit, siblings_max));
      view["siblings"] = siblings_view(paths);
    }
  }
  if (query.flag("securityStatus")) {
    TRY(view["securityRepoStatus"], security_status(services, repository, objects, revision.commit));
  }
  if (expand.empty() || wants(expand, "usedStorage")) {
    TRY(view["usedStorage"], used_storage(services, repository.id));
  }
  TRY(const json::object picked, pick_properties(std::move(view), repository.type, expand));
  return json_answer(picked);
}

// "6B", "500M", "1000": what num_parameters names.
std::optional<int64_t> parameter_count(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0) || number > 1e15) return std::nullopt;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  double factor = 1;
  if (unit == "K" || unit == "k")
    factor = 1e3;
  else if (unit == "M" || unit == "m")
    factor = 1e6;
  else if (unit == "B" || unit == "b" || unit == "G")
    factor = 1e9;
  else if (unit == "T" || unit == "t")
    factor = 1e12;
  else if (!unit.empty())
    return std::nullopt;
  return static_cast<int64_t>(std::llround(std::min(number * factor, 9e18)));
}

Status read_parameter_range(std::string_view text, repo::SearchQuery& query) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const size_t colon = part.find(':');
    const auto count =
        colon == std::string_view::npos ? std::nullopt : parameter_count(part.substr(colon + 1));
    if (!count) return fail(Reason::bad_request, "\"num_parameters\" reads like min:6B,max:128B");
    if (part.starts_with("min:"))
      query.parameters_min = *count;
    else if (part.starts_with("max:"))
      query.parameters_max = *count;
    else
      return fail(Reason::bad_request, "\"num_parameters\" reads like min:6B,max:128B");
  }
  return Done{};
}

Result<repo::SortKey> sort_of(std::string_view name) {
  if (name.empty() || name == "lastModified" || name == "last_modified") return repo::SortKey::modified;
  if (name == "createdAt" || name == "created_at") return repo::SortKey::created;
  if (name == "downloads") return repo::SortKey::downloads;
  if (name == "likes") return repo::SortKey::likes;
  if (name == "trendingScore" || name == "trending_score") return repo::SortKey::modified;
  return fail(Reason::bad_request,
              "\"sort\" must be one of [createdAt, downloads, lastModified, likes, trendingScore]");
}

Result<repo::SearchQuery> search_query(repo::RepoType type, const net::Query& query) {
  repo::SearchQuery out;
  out.type = type;
  out.author = query.get("author");
  out.after = query.get("cursor");
  out.pipeline = query.get("pipeline_tag");
  out.library = query.get("library");
  for (const std::string_view key : {"search", "q"})
    for (const std::string_view word : query.all(key))
      if (!word.empty()) out.words.emplace_back(word);
  for (const std::string_view key : {"filter", "tags", "apps"})
    for (const std::string_view tag : query.all(key))
      for (size_t at = 0; at <= tag.size();) {
        const size_t comma = std::min(tag.find(',', at), tag.size());
        if (comma > at) out.tags.emplace_back(tag.substr(at, comma - at));
        at = comma + 1;
      }
  if (query.find("gated")) out.gated = query.flag("gated");
  TRY_DONE(read_parameter_range(query.get("num_parameters"), out));
  TRY(out.sort, sort_of(query.get("sort")));
  out.count_max = page_default;
  if (const auto limit = query.find("limit")) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), number);
    if (error != std::errc() || end != limit->data() + limit->size() || number < 0)
      return fail(Reason::bad_request, "\"limit\" must be a number");
    out.count_max = std::clamp<int64_t>(number, 1, page_default);
  }
  return out;
}

// The same address with another cursor.
std::string next_page(const Call& call, std::string_view cursor) {
  std::string query;
  const net::Query asked = call.query();  // Named: a loop does not keep a temporary alive.
  for (const auto& [key, value] : asked.pairs()) {
    if (key == "cursor") continue;
    query += fmt::format("{}={}&", codec::form_encode(key), codec::form_encode(value));
  }
  return fmt::format("{}{}?{}cursor={}", call.base_url, call.request.path(), query, cursor);
}

Status add_siblings(Services& services, const repo::SearchHit& hit, json::object& view) {
  if (hit.card.commit.empty()) return Done{};
  TRY(const git::Repository objects, services.hub.storage.open(hit.repository.id));
  TRY(const git::ObjectId commit, git::ObjectId::parse(hit.card.commit));
  TRY(const auto paths, repo::Browser::paths(objects, commit, siblings_max));
  view["siblings"] = siblings_view(paths);
  return Done{};
}

Result<Response> list(Services& services, const Call& call) {
  const net::Query query = call.query();
  const std::vector<std::string_view> expand = query.all("expand");
  for (const std::string_view name : expand)
    if (!knows_property(*call.type, name)) return pick_properties({}, *call.type, expand).error();
  TRY(repo::SearchQuery wish, search_query(*call.type, query));
  // Nothing is deployed here that the Hub would call warm or a provider.
  if (query.find("inference") || query.find("inference_provider")) return json_answer(json::array());
  const bool full = query.flag("full"), files = full || wants(expand, "siblings");
  if (files) wish.count_max = std::min(wish.count_max, full_page_max);
  TRY(const repo::SearchPage page, services.hub.search.find(call.caller, wish));
  json::array out;
  for (const repo::SearchHit& hit : page.hits) {
    json::object view = repo_view(hit.repository, hit.card, hit.card.commit);
    if (expand.empty() && !full) {
      if (!query.flag("cardData")) view.erase("cardData");
      if (!query.flag("config")) view.erase("config");
      view.erase("model-index");
    }
    if (files) TRY_DONE(add_siblings(services, hit, view));
    TRY(json::object picked, pick_properties(std::move(view), *call.type, expand));
    out.emplace_back(std::move(picked));
  }
  Response response = json_answer(out);
  if (!page.next.empty()) response.headers.add("Link", codec::link_next(next_page(call, page.next)));
  return response;
}

Result<Response> tags_by_type(Services&, const Call&) { return json_answer(json::object()); }

}  // namespace

void add_hub_info_routes(RouteTable& table, Services& services) {
  const auto get = [&](const char* pattern, const char* name, Access access,
                       Result<Response> (*function)(Services&, const Call&)) {
    table.add({.method = "GET",
               .pattern = pattern,
               .name = name,
               .access = access,
               .handle = [&services, function](const Call& call) { return function(services, call); }});
  };
  get("/api/{T}", "hub_list", Access::open, list);
  get("/api/{T}/{id}", "hub_info", Access::repo_read, info);
  get("/api/{T}/{id}/revision/{rev}", "hub_info_revision", Access::repo_read, info);
  get("/api/models-tags-by-type", "hub_model_tags", Access::open, tags_by_type);
  get("/api/datasets-tags-by-type", "hub_dataset_tags", Access::open, tags_by_type);
}

}  // namespace holdfast::api
