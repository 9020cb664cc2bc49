#pragma once

#include <string_view>

#include "api/call.h"
#include "api/services.h"
#include "serve/models.h"

namespace holdfast::api {

// The model that a body or an address names: "ns/name", or "ns/name@revision" (main otherwise).
// repo_not_found for one that does not exist or that the caller may not see, alike; gated as downloads are;
// forbidden where the token may not infer, policy_refused where the gate does not let this version answer.
Result<serve::ServedModel> find_served_model(Services& services, const Call& call, std::string_view name);

// Where what a model took is added up; null where nobody asks.
serve::Work* work_of(const Call& call);

// Decides the side of a traffic split: what the caller gave, else the request itself.
std::string_view call_key(const Call& call);

}  // namespace holdfast::api
