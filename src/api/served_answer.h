#pragma once

#include <string>

#include "api/call.h"
#include "api/route.h"

namespace holdfast::api {

// Puts into an answer, or a failure written as one, which model it was (X-Model-Id, X-Model-Revision,
// X-Tokenizer-Digest, X-Deployment), what ran it (X-Holdfast-Runtime), how many milliseconds it waited for
// the model to load (X-Holdfast-Cold-Start) and which trace (traceparent). Nothing where no model was asked.
void say_who_answered(const Services& services, const Call& call, net::Response& response);

// Runs a handler. When a model answered, the answer says which, and the gate and the desk hear how it ended.
Result<net::Response> answer_and_tell(Services& services, const std::string& door, const Call& call,
                                      const CallHandler& handler);

}  // namespace holdfast::api
