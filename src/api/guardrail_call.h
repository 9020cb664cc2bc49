#pragma once

#include <functional>
#include <string>

#include "api/call.h"
#include "api/guard_look.h"
#include "api/route.h"

namespace holdfast::api {

class GuardedStreams;

// An endpoint that is asked `rest` below its address.
struct GuardedEndpoint {
  std::string name, rest;
  GuardAsker ask;
  GuardedStreams* streams = nullptr;  // Null: it streams nothing where its answers are looked at.
  Dialect dialect = Dialect::hub;     // Of failures within a stream.
};

// A handler that looks at what it is asked and at what it answers by the stages of this endpoint; `handler`
// itself where there are none. policy_refused where a stage says no, dependency_failed where one that fails
// closed could not look. What was flagged is told in X-Holdfast-Guardrails; each look is counted, what it
// found is logged without the text, and its time is the note's `guard`. A stream is looked at while it goes
// out (guarded_stream.h).
CallHandler guarded(Services& services, GuardedEndpoint endpoint, CallHandler handler);

// Whether the caller may have an endpoint of this name asked.
using MaySee = std::function<Status(const Call& call, const std::string& endpoint)>;
// /api/endpoints/{ns}/{name}/guardrails, as docs/serving.md says.
void add_guardrail_routes(RouteTable& table, Services& services, MaySee may_see);

}  // namespace holdfast::api
