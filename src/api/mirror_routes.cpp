#include "api/mirror_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/services.h"
#include "codec/json.h"
#include "exchange/mirror.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using exchange::IncomingRevision;
using exchange::Upstream;
using net::Response;

constexpr uint64_t body_bytes_max = 64 << 10;

json::value time_view(WallTime time) {
  return time == WallTime{} ? json::value(nullptr) : json::value(format_time(time));
}

json::object upstream_view(const Upstream& upstream) {
  return {{"name", upstream.name},
          {"url", upstream.url},
          {"secret", upstream.secret},
          {"namespaces", upstream.namespaces},
          {"allow", upstream.allow},
          {"deny", upstream.deny},
          {"visibility", repo::visibility_name(upstream.visibility)},
          {"follow", upstream.follow == exchange::Follow::upstream},
          {"everySeconds", upstream.every.count() / 1000},
          {"bytesMax", upstream.bytes_max},
          {"by", upstream.by},
          {"updated", time_view(upstream.updated)}};
}

json::object revision_view(const IncomingRevision& revision) {
  return {{"id", revision.id},
          {"upstream", revision.upstream},
          {"remote", revision.remote},
          {"type", repo::type_name(revision.type)},
          {"repository", fmt::format("{}/{}", revision.ns, revision.name)},
          {"revision", revision.asked},
          {"remoteCommit", revision.remote_commit},
          {"state", revision.state},
          {"detail", revision.detail},
          {"commit", revision.commit},
          {"digest", revision.digest},
          {"license", revision.license},
          {"bytes", revision.bytes},
          {"bytesHere", revision.bytes_here},
          {"started", time_view(revision.started)},
          {"ended", time_view(revision.ended)}};
}

Result<int64_t> number_of(const Call& call) {
  const std::string_view text = call.capture("num");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    return fail(Code::not_found, "there is no such revision");
  return number;
}

Result<Response> list_upstreams(exchange::Upstreams& upstreams) {
  TRY(const auto all, upstreams.list());
  json::array out;
  for (const Upstream& each : all) out.emplace_back(upstream_view(each));
  return json_answer(json::object{{"upstreams", std::move(out)}});
}

Result<Response> set_upstream(exchange::Upstreams& upstreams, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  Upstream wish;
  wish.name = call.capture("name");
  TRY(std::string_view url, codec::json_text(body, "url"));
  while (url.ends_with('/')) url.remove_suffix(1);
  wish.url = url;
  TRY(const auto namespaces, codec::json_text(body, "namespaces"));
  wish.namespaces = namespaces;
  for (const auto& [key, member] :
       {std::pair("secret", &Upstream::secret), std::pair("allow", &Upstream::allow),
        std::pair("deny", &Upstream::deny)}) {
    TRY(const auto text, codec::json_text_if(body, key));
    if (text) wish.*member = *text;
  }
  TRY(const auto visibility, codec::json_text_if(body, "visibility"));
  const auto named = repo::visibility_of_name(visibility.value_or("public"));
  if (!named) return fail(Reason::bad_request, "\"visibility\" must be one of [public, private]");
  wish.visibility = *named;
  TRY(const auto follow, codec::json_flag_if(body, "follow"));
  wish.follow = follow.value_or(false) ? exchange::Follow::upstream : exchange::Follow::pinned;
  TRY(const auto every, codec::json_integer_if(body, "everySeconds"));
  wish.every = std::chrono::seconds(std::clamp<int64_t>(every.value_or(0), 0, 365 * 86'400));
  TRY(const auto bytes, codec::json_integer_if(body, "bytesMax"));
  wish.bytes_max = static_cast<uint64_t>(std::max<int64_t>(bytes.value_or(0), 0));
  TRY_DONE(upstreams.set(call.caller.name, wish));
  TRY(const Upstream set, upstreams.find(wish.name));
  return json_answer(upstream_view(set));
}

Result<Response> remove_upstream(exchange::Upstreams& upstreams, const Call& call) {
  TRY_DONE(upstreams.remove(call.caller.name, call.capture("name")));
  return json_answer(json::object{{"name", call.capture("name")}, {"removed", true}});
}

Result<Response> list_revisions(exchange::Mirror& mirror, const Call& call) {
  TRY(const auto all, mirror.list(call.query().get("state")));
  json::array out;
  for (const IncomingRevision& each : all) out.emplace_back(revision_view(each));
  return json_answer(json::object{{"revisions", std::move(out)}});
}

Result<Response> show_revision(exchange::Mirror& mirror, const Call& call) {
  TRY(const int64_t number, number_of(call));
  TRY(const IncomingRevision found, mirror.show(number));
  return json_answer(revision_view(found));
}

Result<repo::RepoName> repository_in(const json::object& body) {
  TRY(const auto type, codec::json_text_if(body, "type"));
  TRY(const std::string_view name, codec::json_text(body, "repository"));
  const auto named = repo::type_of_name(type.value_or("model"));
  if (!named) return fail(Reason::bad_request, "\"type\" must be one of [model, dataset, space]");
  return repo::parse_repo_name(*named, name);
}

Result<Response> start_import(exchange::Mirror& mirror, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const repo::RepoName place, repository_in(body));
  TRY(const auto revision, codec::json_text_if(body, "revision"));
  TRY(const int64_t id, mirror.start(place.type, place.ns, place.name, revision.value_or("main")));
  TRY(const IncomingRevision started, mirror.show(id));
  return json_answer(revision_view(started), 202);
}

Result<Response> release(exchange::Mirror& mirror, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view reason, codec::json_text(body, "reason"));
  TRY(const int64_t number, number_of(call));
  TRY_DONE(mirror.release(call.caller, number, reason));
  TRY(const IncomingRevision found, mirror.show(number));
  return json_answer(revision_view(found), 202);
}

Result<Response> discard(exchange::Mirror& mirror, const Call& call) {
  TRY(const int64_t number, number_of(call));
  TRY_DONE(mirror.discard(call.caller, number));
  return json_answer(json::object{{"id", number}, {"discarded", true}});
}

Result<Response> sync(Services& services, exchange::Mirror& mirror, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const repo::RepoName place, repository_in(body));
  TRY(const auto found, services.hub.repositories.find(place.type, place.ns, place.name));
  if (!found) return fail(Reason::repo_not_found, "Repository not found");
  TRY(const std::string what, mirror.sync(*found));
  return json_answer(json::object{{"changed", !what.empty()}, {"what", what}});
}

// Where the files come from; what nobody took over from an upstream has an unknown source, which is a risk.
Result<Response> provenance(exchange::Mirror& mirror, const Call& call) {
  TRY(const auto taken, mirror.taken_over(call.repo().id));
  json::array out;
  for (const IncomingRevision& each : taken) out.emplace_back(revision_view(each));
  json::object view{
      {"repository", call.repo().full_name()}, {"known", !taken.empty()}, {"revisions", std::move(out)}};
  if (taken.empty()) view["risk"] = "unknown source";
  return json_answer(view);
}

}  // namespace

void add_mirror_routes(RouteTable& table, Services& services, exchange::Upstreams& upstreams,
                       exchange::Mirror& mirror) {
  const auto add = [&](const char* method, const char* pattern, const char* name, CallHandler handler,
                       Access access = Access::instance_admin) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = access,
               .body_bytes_max = body_bytes_max,
               .handle = std::move(handler)});
  };
  add("GET", "/api/upstreams", "upstreams", [&](const Call&) { return list_upstreams(upstreams); });
  add("PUT", "/api/upstreams/{name}", "upstream_set",
      [&](const Call& call) { return set_upstream(upstreams, call); });
  add("DELETE", "/api/upstreams/{name}", "upstream_remove",
      [&](const Call& call) { return remove_upstream(upstreams, call); });
  add("GET", "/api/mirror/revisions", "mirror_revisions",
      [&](const Call& call) { return list_revisions(mirror, call); });
  add("GET", "/api/mirror/revisions/{num}", "mirror_revision",
      [&](const Call& call) { return show_revision(mirror, call); });
  add("POST", "/api/mirror/revisions", "mirror_import",
      [&](const Call& call) { return start_import(mirror, call); });
  add("POST", "/api/mirror/revisions/{num}/release", "mirror_release",
      [&](const Call& call) { return release(mirror, call); });
  add("DELETE", "/api/mirror/revisions/{num}", "mirror_discard",
      [&](const Call& call) { return discard(mirror, call); });
  add("POST", "/api/mirror/sync", "mirror_sync",
      [&](const Call& call) { return sync(services, mirror, call); });
  add(
      "GET", "/api/{T}/{id}/provenance", "repo_provenance",
      [&](const Call& call) { return provenance(mirror, call); }, Access::repo_read);
}

}  // namespace holdfast::api
