#pragma once

#include <functional>
#include <string>

#include "api/call.h"
#include "api/route.h"

namespace holdfast::api {

// How an endpoint, or a model by its name, is asked what the call asks.
struct FallbackAskers {
  std::function<Result<net::Response>(const Call& call, const std::string& endpoint)> endpoint;
  std::function<Result<net::Response>(const Call& call, const std::string& model)> model;
};

// Asks the endpoint unless its breaker is open or it has cost what its quota lets it; where it cannot answer,
// the steps of its chain in order. What answered instead is told in X-Holdfast-Fallback, and why in
// X-Holdfast-Fallback-Reason (failure, busy, breaker, cost), in the answer's own "holdfast" where that is an
// object of OpenAI's kind, and counted. Without a chain the endpoint alone is asked.
Result<net::Response> answer_with_fallbacks(Services& services, const Call& call, const std::string& endpoint,
                                            const FallbackAskers& askers);

// /api/endpoints/{ns}/{name}/fallback, as docs/serving.md says.
void add_fallback_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
