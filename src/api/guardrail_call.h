#pragma once

#include <functional>
#include <string>

#include "api/call.h"
#include "api/route.h"

namespace holdfast::api {

// Asks an endpoint, as the server itself, what stands at `rest` below its address. Its own guardrails do not
// hold for that.
using GuardAsker = std::function<Result<net::Response>(const Call& call, const std::string& endpoint,
                                                       const std::string& rest)>;

// A handler that looks at what it is asked and at what it answers by the stages of this endpoint; `handler`
// itself where there are none. policy_refused where a stage says no, dependency_failed where one that fails
// closed could not look. What was flagged is told in X-Holdfast-Guardrails; each look is counted, what it
// found is logged without the text, and its time is the note's `guard`. `rest`: below the endpoint's address.
CallHandler guarded(Services& services, const std::string& endpoint, const std::string& rest, GuardAsker ask,
                    CallHandler handler);

// Whether the caller may have an endpoint of this name asked.
using MaySee = std::function<Status(const Call& call, const std::string& endpoint)>;
// /api/endpoints/{ns}/{name}/guardrails, as docs/serving.md says.
void add_guardrail_routes(RouteTable& table, Services& services, MaySee may_see);

}  // namespace holdfast::api
