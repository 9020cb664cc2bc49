#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"
#include "api/govern_routes.h"
#include "api/route.h"
#include "govern/endpoints.h"
#include "govern/facts.h"
#include "serve/release_gate.h"

namespace holdfast::api {

// A request asked again inside of the server: an endpoint's sub-path on the route that answers it for models,
// or a kept request.
struct InnerRequest {
  std::string method = "POST", target, content_type, body;
  std::vector<std::pair<std::string, std::string>> captures;
};

// The row whose name this is. Null when there is none.
const ApiRoute* route_named(const RouteTable& table, std::string_view name);

// Runs the row's handler for this caller with the answer of the gate fixed; headers of the answer say which
// release it was. Told to the gate when `tell` says so.
enum class Telling : uint8_t { tell, keep_quiet };
// What stands around the row's handler, within what is told.
using Around = std::function<CallHandler(CallHandler handler)>;
Result<net::Response> run_inner(Services& services, const ApiRoute& row, const Call& outer,
                                const InnerRequest& inner, const serve::ReleaseAnswer& by, Telling telling,
                                const Around& around = {});

// Sends the body on to an outside engine and gives back what it said.
Result<net::Response> forward(Services& services, const GovernDoor& door, const govern::Endpoint& endpoint,
                              const govern::Attachment& attachment, const Call& call,
                              const InnerRequest& request, std::string_view rest);
// Ends the endpoint with all that is kept of it: the next of that name begins without.
Status remove_endpoint(Services& services, const GovernDoor& door, const identity::Caller& caller,
                       const std::string& id);
// The engine of an endpoint that answers for this revision. Null: it is served here.
const govern::Attachment* attachment_for(const govern::Endpoint& endpoint, std::string_view revision);

// The outside engine that stands for a release; without an attachment our own workers do.
struct AttachedEngine {
  govern::Endpoint endpoint{};
  const govern::Attachment* attachment = nullptr;  // Of `endpoint`.
};
Result<AttachedEngine> engine_of(const GovernDoor& door, const identity::Caller& caller,
                                 const govern::Release& release);

inline constexpr std::string_view attached_door = "endpoint_attached";  // Kept as the door of such requests.

}  // namespace holdfast::api
