#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.h"

namespace holdfast::api {

// A call of POST /v1/responses (reference: serving, 1.1) as a call of /v1/chat/completions says the same.
struct ResponsesCall {
  boost::json::object chat;    // Without "model".
  boost::json::object echoed;  // What a response object repeats of its request.
  bool streams = false, with_log_probabilities = false;
};

// bad_request names the key that is wrong. not_offered: stored and background responses, conversations,
// hosted tools, and inputs that are no text. Responses are not stored, whatever "store" says, so there is
// none to go on from.
Result<ResponsesCall> read_responses_call(const boost::json::object& body);

// What a model said of the chat call, in the words of the call that was made of it: 'messages' is its
// 'input'.
Error in_responses_words(Error error);

}  // namespace holdfast::api
