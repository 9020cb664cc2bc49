#include "api/xet_routes.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/bound_token.h"
#include "api/error_answer.h"
#include "api/services.h"
#include "api/xet_door.h"
#include "content/xet_format.h"
#include "identity/tokens.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr auto token_life = std::chrono::minutes(15);
constexpr uint64_t xorb_body_bytes_max = content::xorb_bytes_max + (1 << 20);  // With a footer.
constexpr uint64_t telemetry_bytes_max = 1 << 20;

// The answer must carry both forms: Python reads the headers, hf_xet the body.
net::Response token_answer(const XetDoor& door, const Call& call, CasScope scope) {
  const auto now = std::chrono::floor<std::chrono::seconds>(door.services.clock.wall());
  const WallTime expires = now + token_life;
  const std::string token = door.tokens.issue({.scope = scope,
                                               .repository = call.repo().id,
                                               .revision = std::string(call.capture("rev")),
                                               .user = call.caller.user,
                                               .token = call.caller.token,
                                               .expires = expires});
  const std::string address = call.base_url + "/cas";
  const int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
  net::Response response =
      json_answer(json::object{{"casUrl", address}, {"exp", seconds}, {"accessToken", token}});
  response.headers.set("X-Xet-Cas-Url", address);
  response.headers.set("X-Xet-Access-Token", token);
  response.headers.set("X-Xet-Token-Expiration", std::to_string(seconds));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<net::Response> read_token(const XetDoor& door, const Call& call) {
  return token_answer(door, call, CasScope::read);
}

// A pull request may be opened by who may not write to the repository.
Result<net::Response> write_token(const XetDoor& door, const Call& call) {
  const bool for_pull_request = call.query().flag("create_pr") || call.query().get("create_pr") == "1" ||
                                call.capture("rev").starts_with("refs/pr/");
  if (!for_pull_request && !door.services.hub.rights.may_write(call.caller, call.repo()))
    return fail(Reason::forbidden, "The token or its user may not write to this repository");
  return token_answer(door, call, CasScope::write);
}

CallHandler not_there() {
  return [](const Call&) -> Result<net::Response> { return fail(Reason::object_missing, "Not found"); };
}

// Usage figures of the client: taken and forgotten.
Result<net::Response> telemetry(const XetDoor& door, const Call& call) {
  TRY_DONE(cas_caller(door, call, CasScope::read));
  return json_answer(json::object{});
}

std::optional<std::string_view> bearer(const net::Request& request) {
  const std::string_view header = request.headers.get("Authorization");
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size()) return std::nullopt;
  for (size_t i = 0; i < scheme.size(); ++i)
    if ((header[i] | 0x20) != (scheme[i] | 0x20)) return std::nullopt;
  return header.substr(scheme.size());
}

}  // namespace

XetDoor::XetDoor(Services& all, const Secret& instance_key)
    : services(all), tokens(instance_key), data_addresses(instance_key, "xet data") {}

Result<CasCaller> cas_caller(const XetDoor& door, const Call& call, CasScope wanted) {
  const auto token = bearer(call.request);
  if (!token) return fail(Reason::unauthenticated, "This needs an access token for Xet storage");
  CasCaller who;
  TRY(who.claims, door.tokens.read(*token, door.services.clock.wall()));
  if (wanted == CasScope::write && who.claims.scope != CasScope::write)
    return fail(Reason::forbidden, "This access token is only for reading");
  if (who.claims.token.raw != 0) {
    TRY(who.caller, door.services.tokens.caller(who.claims.token));
  }
  const auto hidden = [] { return fail(Reason::repo_not_found, "Repository not found"); };
  TRY(auto repository, door.services.hub.repositories.find(who.claims.repository));
  if (!repository || !door.services.hub.rights.may_find(who.caller, *repository)) return hidden();
  if (wanted == CasScope::read) {
    TRY(const bool past_gate, door.services.hub.rights.may_read_files(who.caller, *repository));
    if (!past_gate) return hidden();
  }
  who.repository = std::move(*repository);
  return who;
}

content::MayUse may_use(const XetDoor& door, const identity::Caller& caller) {
  return [&uploads = door.services.hub.uploads, caller](const content::XorbHash& xorb,
                                                        const content::ChunkRange& chunks) {
    return uploads.may_use(caller, xorb, chunks);
  };
}

Result<content::FileInfo> readable_file(const XetDoor& door, const CasCaller& who,
                                        const content::FileHash& file) {
  auto held = door.services.hub.uploads.held(who.repository.id, file);
  if (!who.caller.environment.empty()) {
    TRY(content::FileInfo known, std::move(held));
    TRY_DONE(check_pull(door.services, who.caller, who.repository, known.sha256));
    return known;
  }
  if (held.ok() || held.error().reason != Reason::object_missing || who.caller.anonymous()) return held;
  TRY_DONE(door.services.hub.uploads.may_name(who.caller, file));
  return door.services.content.find(file);
}

void add_xet_routes(RouteTable& table, Services& services, const Secret& instance_key) {
  // Shared by the handlers, which the table copies.
  const auto door = std::make_shared<const XetDoor>(services, instance_key);
  const auto handler = [&door](Result<net::Response> (*answer)(const XetDoor&, const Call&)) {
    return CallHandler([door, answer](const Call& call) { return answer(*door, call); });
  };
  table.add({"GET", "/api/{T}/{id}/xet-read-token/{rev}", "xet_read_token", Access::repo_content, 0,
             handler(read_token)});
  table.add({"GET", "/api/{T}/{id}/xet-write-token/{rev}", "xet_write_token", Access::repo_contribute, 0,
             handler(write_token)});

  const auto cas = Access::cas_token;
  table.add({"POST", "/cas/v1/xorbs/{prefix}/{hash}", "cas_put_xorb", cas, xorb_body_bytes_max,
             CallSinkMaker([door](const Call& call) { return xet_put_xorb(*door, call); })});
  table.add({"HEAD", "/cas/v1/xorbs/{prefix}/{hash}", "cas_head_xorb", cas, 0, handler(xet_head_xorb)});
  table.add({"POST", "/cas/v1/shards", "cas_put_shard_v1", cas, content::shard_bytes_max,
             handler(xet_put_shard_v1)});
  table.add({"POST", "/cas/v2/shards", "cas_put_shard_v2", cas, content::shard_bytes_max,
             handler(xet_put_shard_v2)});
  table.add({"GET", "/cas/v1/chunks/{prefix}/{hash}", "cas_dedup", cas, 0, handler(xet_dedup)});
  table.add({"GET", "/cas/v1/reconstructions/{hash}", "cas_reconstruction_v1", cas, 0,
             handler(xet_reconstruction_v1)});
  table.add({"GET", "/cas/v2/reconstructions/{hash}", "cas_reconstruction_v2", cas, 0,
             handler(xet_reconstruction_v2)});
  table.add({"GET", "/cas/v1/reconstructions", "cas_reconstructions", cas, 0, handler(xet_reconstructions)});
  table.add({"HEAD", "/cas/v1/files/{hash}", "cas_head_file", cas, 0, handler(xet_head_file)});
  table.add({"GET", "/cas/data/{hash}", "cas_data", Access::signed_url, 0, handler(xet_data)});
  table.add({"POST", "/cas/v1/telemetry", "cas_telemetry", cas, telemetry_bytes_max, handler(telemetry)});
  table.add({"POST", "/v1/telemetry", "cas_telemetry_root", cas, telemetry_bytes_max,
             handler(telemetry)});  // hf_xet 1.8 drops "/cas".
  // No hub token comes along here either, so these are not `open`, which would look for one.
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
    table.add({method, "/cas/{rest*}", "cas_unknown", cas, 0, not_there()});
}

}  // namespace holdfast::api
