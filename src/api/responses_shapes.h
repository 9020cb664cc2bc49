#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "api/writing.h"

namespace holdfast::api {

// A call of /v1/responses as far as its answer's shape goes.
struct ResponsesShape {
  std::string model, id;       // "resp_…"; the ids of its items are made of it.
  int64_t created = 0;         // Seconds since 1970.
  boost::json::object echoed;  // ResponsesCall::echoed.
  bool streams = false, with_log_probabilities = false;
};

// One response object, or its events in their order with rising sequence numbers: thoughts, a message's text,
// calls of tools, each an item of the output that is opened, filled and closed.
std::unique_ptr<AnswerForm> make_responses_form(ResponsesShape shape);

}  // namespace holdfast::api
