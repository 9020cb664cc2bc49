#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "codec/json.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t wish_bytes_max = 64 << 10;

Result<json::object> body_of(const Call& call) {
  if (call.request.body.empty()) return json::object();
  return codec::parse_json_object(call.request.body);
}

Result<Response> done() { return json_answer(json::object()); }

Result<Response> create_branch(Services& services, const Call& call) {
  TRY(const json::object body, body_of(call));
  TRY(const auto start, codec::json_text_if(body, "startingPoint"));
  TRY(const auto empty, codec::json_flag_if(body, "emptyBranch"));
  TRY(const auto overwrite, codec::json_flag_if(body, "overwrite"));
  using New = repo::NewBranch;
  const New wish{.name = std::string(call.capture("branch")),
                 .starting_point = std::string(start.value_or("")),
                 .content = empty.value_or(false) ? New::Content::empty : New::Content::of_starting_point,
                 .if_exists = overwrite.value_or(false) ? New::IfExists::overwrite : New::IfExists::refuse};
  TRY_DONE(services.hub.branches.create(call.caller, call.repo(), wish));
  return done();
}

Result<Response> remove_branch(Services& services, const Call& call) {
  TRY_DONE(services.hub.branches.remove(call.caller, call.repo(), call.capture("branch")));
  return done();
}

Result<Response> create_tag(Services& services, const Call& call) {
  TRY(const json::object body, body_of(call));
  TRY(const std::string_view tag, codec::json_text(body, "tag"));
  TRY_DONE(services.hub.branches.create_tag(call.caller, call.repo(), call.capture("rev"), tag));
  return done();
}

Result<Response> remove_tag(Services& services, const Call& call) {
  TRY_DONE(services.hub.branches.remove_tag(call.caller, call.repo(), call.capture("rev")));
  return done();
}

Result<Response> squash(Services& services, const Call& call) {
  TRY(const json::object body, body_of(call));
  TRY(const auto message, codec::json_text_if(body, "message"));
  TRY_DONE(
      services.hub.branches.squash(call.caller, call.repo(), call.capture("branch"), message.value_or("")));
  return done();
}

}  // namespace

void add_hub_branch_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       ServiceHandler handler) {
    table.add(method, pattern, name, access, wish_bytes_max, services, handler);
  };
  add("POST", "/api/{T}/{id}/branch/{branch}", "hub_branch_create", Access::repo_write, create_branch);
  add("DELETE", "/api/{T}/{id}/branch/{branch}", "hub_branch_delete", Access::repo_write, remove_branch);
  add("POST", "/api/{T}/{id}/tag/{rev}", "hub_tag_create", Access::repo_write, create_tag);
  add("DELETE", "/api/{T}/{id}/tag/{rev}", "hub_tag_delete", Access::repo_write, remove_tag);
  add("POST", "/api/{T}/{id}/super-squash/{branch}", "hub_squash", Access::repo_write, squash);
}

}  // namespace holdfast::api
