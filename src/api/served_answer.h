#pragma once

#include <string>

#include "api/call.h"
#include "api/route.h"

namespace holdfast::api {

// Runs a handler. When a model answered, the answer says which (X-Model-Id, X-Model-Revision,
// X-Tokenizer-Digest, X-Deployment) and the gate hears how it ended.
Result<net::Response> answer_and_tell(Services& services, const std::string& door, const Call& call,
                                      const CallHandler& handler);

}  // namespace holdfast::api
