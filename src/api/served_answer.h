#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "api/call.h"
#include "api/route.h"
#include "base/clock.h"

namespace holdfast::observe {
class Desk;
}

namespace holdfast::api {

class StreamTelling;

// Puts into an answer, or a failure written as one, which model it was (X-Model-Id, X-Model-Revision,
// X-Tokenizer-Digest, X-Deployment), what ran it (X-Holdfast-Runtime), by which seed it was written
// (X-Holdfast-Seed, of whole answers), how many milliseconds it waited for the model to load
// (X-Holdfast-Cold-Start) and which trace (traceparent). Nothing where no model was asked.
void say_who_answered(const Services& services, const Call& call, net::Response& response);

// Runs a handler. When a model answered, the answer says which, and the gate and the desk hear how it ended.
Result<net::Response> answer_and_tell(Services& services, const std::string& door, const Call& call,
                                      const CallHandler& handler);

// The two halves of it, before the handler runs and after: for an answer that is made later.
struct AnswerBegun {
  observe::Desk* desk = nullptr;
  std::chrono::milliseconds began{};
  WallTime began_at{};
  std::chrono::nanoseconds ticked{};
  std::shared_ptr<StreamTelling> made{};  // By this call, and not by one around it.
};
AnswerBegun begin_answer(const Services& services, const Call& call);
Result<net::Response> end_answer(Services& services, const std::string& door, const Call& call,
                                 const AnswerBegun& begun, Result<net::Response> answer);

}  // namespace holdfast::api
