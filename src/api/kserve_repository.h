#pragma once

#include "api/call.h"
#include "api/route.h"
#include "serve/models.h"

namespace holdfast::api {

// Triton's repository extension: which models are loaded, and one is loaded before anybody asks it. That
// server's "unload" is refused: here a model that nobody keeps gives way by itself.
void add_kserve_repository_routes(RouteTable& table, Services& services, serve::Models& models);

// Of its statistics extension: what was measured of the model since the start, by version.
Result<net::Response> kserve_model_statistics(const Services& services, const Call& call,
                                              const serve::ServedModel& model);

}  // namespace holdfast::api
