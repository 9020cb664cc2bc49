#pragma once

#include <string_view>

#include "api/call.h"
#include "api/services.h"
#include "serve/models.h"

namespace holdfast::api {

// The model that a body or an address names: "ns/name", or "ns/name@revision" (main otherwise).
// repo_not_found for one that does not exist or that the caller may not see, alike; gated as downloads are;
// forbidden where the token may not infer.
Result<serve::ServedModel> find_served_model(Services& services, const Call& call, std::string_view name);

}  // namespace holdfast::api
