#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/services.h"
#include "codec/header_text.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "identity/accounts.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t collection_bytes_max = 64 << 10;
constexpr int64_t page_max = 100, skip_max = 1'000'000;

json::object item_view(const repo::CollectionItem& item, int64_t position) {
  json::object view;
  if (item.repository) view = repo_view(*item.repository, {}, {});
  view["_id"] = item.id;
  view["id"] = item.name;
  view["type"] = item.type;
  view["position"] = position;
  if (item.type == "collection") {
    view["slug"] = item.name;
    view["title"] = item.title;
  }
  if (!item.note.empty()) view["note"] = json::object{{"text", item.note}};
  return view;
}

json::object collection_view(const repo::Collection& collection) {
  json::array items;
  for (const repo::CollectionItem& item : collection.items)
    items.emplace_back(item_view(item, static_cast<int64_t>(items.size())));
  json::object view{{"slug", collection.slug()},
                    {"title", collection.title},
                    {"owner", json::object{{"name", collection.owner}}},
                    {"items", std::move(items)},
                    {"lastUpdated", format_time(collection.updated)},
                    {"position", collection.position},
                    {"private", collection.visibility == repo::Visibility::private_},
                    {"theme", collection.theme},
                    {"upvotes", 0},
                    {"isUpvotedByUser", false},
                    {"gating", false}};
  if (!collection.description.empty()) view["description"] = collection.description;
  return view;
}

std::string slug_in(const Call& call) {
  return fmt::format("{}/{}", call.capture("owner"), call.capture("slug"));
}

Result<int64_t> number_of(const net::Query& query, std::string_view key, int64_t otherwise, int64_t most) {
  const auto text = query.find(key);
  if (!text) return otherwise;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0)
    return fail(Reason::bad_request, fmt::format("\"{}\" must be a number", key));
  return std::min(number, most);
}

// The same address with another cursor.
std::string next_page(const Call& call, int64_t cursor) {
  std::string text;
  const net::Query asked = call.query();
  for (const auto& [key, value] : asked.pairs())
    if (key != "cursor") text += fmt::format("{}={}&", codec::form_encode(key), codec::form_encode(value));
  return fmt::format("{}{}?{}cursor={}", call.base_url, call.request.path(), text, cursor);
}

Result<Response> list(Services& services, const Call& call) {
  const net::Query query = call.query();
  repo::CollectionQuery wish;
  for (const std::string_view owner : query.all("owner")) {
    const auto named = services.accounts.find_namespace(owner);
    wish.owners.push_back(named.ok() ? named.value().name : std::string(owner));
  }
  for (const std::string_view item : query.all("item")) wish.items.emplace_back(item);
  if (wish.owners.size() + wish.items.size() > 100)
    return fail(Reason::bad_request, "at most 100 owners and items at once");
  TRY(wish.skip, number_of(query, "cursor", 0, skip_max));
  TRY(wish.count_max, number_of(query, "limit", page_max, page_max));
  wish.count_max = std::max<int64_t>(wish.count_max, 1);
  TRY(const auto found, services.hub.collections.list(call.caller, wish));
  json::array out;
  for (const repo::Collection& collection : found) {
    json::object view = collection_view(collection);
    view.erase("position");  // The clients count themselves and do not take it twice.
    out.emplace_back(std::move(view));
  }
  Response response = json_answer(out);
  if (static_cast<int64_t>(found.size()) == wish.count_max)
    response.headers.add("Link", codec::link_next(next_page(call, wish.skip + wish.count_max)));
  return response;
}

Result<Response> create(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view title, codec::json_text(body, "title"));
  TRY(const auto owner, codec::json_text_if(body, "namespace"));
  TRY(const auto description, codec::json_text_if(body, "description"));
  TRY(const auto hidden, codec::json_flag_if(body, "private"));
  repo::NewCollection wish{
      .owner = std::string(owner.value_or(call.caller.name)),
      .title = std::string(title),
      .description = std::string(description.value_or("")),
      .visibility = hidden.value_or(false) ? repo::Visibility::private_ : repo::Visibility::public_};
  const auto named = services.accounts.find_namespace(wish.owner);
  if (named.ok()) wish.owner = named.value().name;
  auto made = services.hub.collections.create(call.caller, wish);
  if (made.ok()) return json_answer(collection_view(made.value()));
  if (made.error().reason != Reason::already_exists) return made.error();
  TRY(const auto there, services.hub.collections.find_titled(call.caller, wish.owner, wish.title));
  if (!there) return made.error();
  return error_answer_with(call.request, made.error(), call.context, json::object{{"slug", there->slug()}});
}

Result<Response> show(Services& services, const Call& call) {
  TRY(const repo::Collection found, services.hub.collections.find(call.caller, slug_in(call)));
  return json_answer(collection_view(found));
}

Result<Response> change(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const auto title, codec::json_text_if(body, "title"));
  TRY(const auto description, codec::json_text_if(body, "description"));
  TRY(const auto theme, codec::json_text_if(body, "theme"));
  TRY(const auto hidden, codec::json_flag_if(body, "private"));
  repo::CollectionChange wish;
  if (title) wish.title = *title;
  if (description) wish.description = *description;
  if (theme) wish.theme = *theme;
  if (hidden) wish.visibility = *hidden ? repo::Visibility::private_ : repo::Visibility::public_;
  TRY(wish.position, codec::json_integer_if(body, "position"));
  TRY(const repo::Collection now, services.hub.collections.change(call.caller, slug_in(call), wish));
  return json_answer(json::object{{"success", true}, {"data", collection_view(now)}});
}

Result<Response> remove(Services& services, const Call& call) {
  TRY_DONE(services.hub.collections.remove(call.caller, slug_in(call)));
  return json_answer(json::object{{"success", true}});
}

Result<Response> add_item(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::object* item, codec::json_object(body, "item"));
  TRY(const std::string_view id, codec::json_text(*item, "id"));
  TRY(const std::string_view type, codec::json_text(*item, "type"));
  TRY(const auto note, codec::json_text_if(body, "note"));
  TRY(const repo::Collection now,
      services.hub.collections.add(call.caller, slug_in(call), type, id, note.value_or("")));
  return json_answer(collection_view(now));
}

Result<Response> change_item(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const auto note, codec::json_text_if(body, "note"));
  TRY(const auto position, codec::json_integer_if(body, "position"));
  std::optional<std::string> text;
  if (note) text = *note;
  TRY_DONE(
      services.hub.collections.change_item(call.caller, slug_in(call), call.capture("item"), text, position));
  return json_answer(json::object{{"success", true}});
}

Result<Response> remove_item(Services& services, const Call& call) {
  TRY_DONE(services.hub.collections.remove_item(call.caller, slug_in(call), call.capture("item")));
  return json_answer(json::object{{"success", true}});
}

}  // namespace

void add_hub_collection_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       ServiceHandler handler) {
    table.add(method, pattern, name, access, collection_bytes_max, services, handler);
  };
  // Who may change which collection depends on its owner: the service decides.
  add("GET", "/api/collections", "hub_collections", Access::open, list);
  add("POST", "/api/collections", "hub_collection_create", Access::signed_in, create);
  add("GET", "/api/collections/{owner}/{slug}", "hub_collection", Access::open, show);
  add("PATCH", "/api/collections/{owner}/{slug}", "hub_collection_change", Access::signed_in, change);
  add("DELETE", "/api/collections/{owner}/{slug}", "hub_collection_delete", Access::signed_in, remove);
  add("POST", "/api/collections/{owner}/{slug}/items", "hub_collection_item_add", Access::signed_in,
      add_item);
  add("PATCH", "/api/collections/{owner}/{slug}/items/{item}", "hub_collection_item_change",
      Access::signed_in, change_item);
  add("DELETE", "/api/collections/{owner}/{slug}/items/{item}", "hub_collection_item_delete",
      Access::signed_in, remove_item);
}

}  // namespace holdfast::api
