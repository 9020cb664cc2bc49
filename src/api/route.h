#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/call.h"
#include "base/result.h"
#include "net/router.h"

namespace holdfast::api {

struct Services;

// Who may call a route. Checked by the framework before the handler runs; the authorisation matrix test is
// made from the table and calls every route. A repository the caller may not see is answered like one that
// does not exist.
enum class Access : uint8_t {
  open,             // Anyone. Wrong credentials are refused all the same.
  signed_in,        // Any valid token.
  signed_in_write,  // A token that may write somewhere; the service decides in which namespace.
  repo_read,        // Sees the repository: its info, tree, history.
  repo_content,     // Sees it and is past its gate: file contents, clone, fetch, Xet and LFS download.
  repo_contribute,  // Signed in and sees it: discussions, pull requests, likes. A read token is enough.
  repo_write,
  repo_admin,
  instance_admin,
  cas_token,   // A Bearer token of the CAS, not of the hub: the handler checks it.
  signed_url,  // The address itself carries a signature: the handler checks it.
};
inline constexpr int access_count = 11;
std::string_view access_name(Access access);

// An Access that cannot be left out of a row: it has no default.
struct AccessRule {
  AccessRule(Access wanted) : access(wanted) {}
  Access access;
};

// How failures are written on a route.
enum class Dialect : uint8_t {
  hub,     // {"error": …} + X-Error-Code + X-Error-Message.
  git,     // As hub; without credentials 401 and a Basic challenge, since git sends them only after one.
  lfs,     // As git, application/vnd.git-lfs+json with "message".
  openai,  // serving_error.h, as the four below.
  tei,
  tgi,
  llama,
  kserve,
};

// Runs on the disk pool with the whole body in call.request.body.
using CallHandler = std::function<Result<net::Response>(const Call&)>;
// Runs when the head is there; the sink takes the body as it arrives.
using CallSinkMaker = std::function<Result<std::unique_ptr<net::BodySink>>(const Call&)>;

// One row of the table. The pattern is net::Route's with two more words:
//   /api/{T}/{id}/tree/{rev}     {T} is models, datasets, spaces: three routes; {id} is {ns}/{name}
//   /{id}/resolve/{rev}/{path*}  {id} without {T}: /{ns}/{name}, /datasets/{ns}/{name}, /spaces/{ns}/{name}
// With {id} the repository is found before the handler runs; one that moved is answered with 307.
struct ApiRoute {
  std::string method;
  std::string pattern;
  std::string name;  // "hub_tree": metric label, log field, row of the matrix.
  AccessRule access;
  uint64_t body_bytes_max = 0;  // As net::Route.
  std::variant<CallHandler, CallSinkMaker> handle;
  Dialect dialect = Dialect::hub;
};

// A handler that needs the services and the call, nothing else.
using ServiceHandler = Result<net::Response> (*)(Services&, const Call&);

// The routes of the server: filled by the add_*_routes functions of the groups (one file each), then mounted.
class RouteTable {
 public:
  void add(ApiRoute route) { routes_.push_back(std::move(route)); }
  // The plain row: a handler of the services, in the hub's dialect.
  void add(const char* method, const char* pattern, const char* name, AccessRule access,
           uint64_t body_bytes_max, Services& services, ServiceHandler handler) {
    add({.method = method,
         .pattern = pattern,
         .name = name,
         .access = access,
         .body_bytes_max = body_bytes_max,
         .handle = [&services, handler](const Call& call) { return handler(services, call); }});
  }
  std::span<const ApiRoute> routes() const { return routes_; }

 private:
  std::vector<ApiRoute> routes_;
};

// `pattern` with {T} and {id} replaced: one pattern, or three with the type each is for.
struct ExpandedPattern {
  std::string pattern;
  std::optional<repo::RepoType> type;
  bool names_repository = false;
};
std::vector<ExpandedPattern> expand_pattern(const std::string& pattern);

// Adds every route to `router`, wrapped in authentication, finding, the check of the right and the writing of
// errors. conflict when two rows claim the same place. `table` and `services` are borrowed for the router's
// life.
Status mount(const RouteTable& table, Services& services, net::Router& router);

}  // namespace holdfast::api
