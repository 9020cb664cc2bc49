#pragma once

#include "api/call.h"
#include "api/route.h"
#include "api/services.h"

namespace holdfast::api {

// Holds the texts of a request to a model to the rules of the endpoint that it came through, else to the
// server's (serve/input_rules.h): policy_refused for signs that are refused, bad_request for another
// language, input_too_long. What is odd is counted for the caller. Signs that are only counted are looked for
// where a model writes.
Status check_input_rules(const Services& services, const Call& call);

// /api/endpoints/{ns}/{name}/checks, as docs/serving.md says.
void add_input_rule_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
