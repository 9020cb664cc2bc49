#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/govern_routes.h"
#include "api/route.h"
#include "govern/endpoints.h"

namespace holdfast::api {

// Asks an endpoint that the caller may see, with its fallbacks, what stands at `rest` below its address:
// "v1/chat/completions". Failures are told in that protocol.
using EndpointAsker =
    std::function<Result<net::Response>(const Call& call, const std::string& id, const std::string& rest)>;

// Lets the doors that take a model's name in their body, or in an address of the open inference protocol,
// take an endpoint's in its place: "ns/name", or "name" alone (govern::Endpoints::named). The request is then
// the endpoint's, as at its own address. An endpoint goes before a model of the same name; "ns/name@revision"
// is always a model. /v1/models lists the endpoints too. For the rows that `table` has by now; it outlives
// the server.
void name_endpoints(RouteTable& table, const GovernDoor& door, const EndpointAsker& ask);

// `body` with the engine's own name in the place of its "model", where that is one that is said here: the
// endpoint's or its model's. With a name that was given for the engine every body has it.
std::string with_engine_model(std::string body, const govern::Endpoint& endpoint,
                              const govern::Attachment& attachment);

// `rest` with the engine's name for the model in an address of the open inference protocol, as above; one
// that was not given is the last part of the model's name.
std::string engine_path(std::string_view rest, const govern::Endpoint& endpoint,
                        const govern::Attachment& attachment);

// The texts of all members "model" of a body, wherever they stand, without reading all of it.
std::vector<std::string> models_said(std::string_view body);

}  // namespace holdfast::api
