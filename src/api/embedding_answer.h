#pragma once

#include <functional>

#include "api/call.h"
#include "base/result.h"
#include "net/message.h"
#include "serve/models.h"

namespace holdfast::api {

// Asks for vectors and writes the answer by `write`. Where the call's answer may be late no thread waits for
// the model: `write`, which then outlives its caller's frame, runs when the vectors are there.
using WriteVectors = std::function<Result<net::Response>(serve::EmbedAnswer)>;
Result<net::Response> answer_embedding(serve::Models& models, const Call& call,
                                       const serve::ServedModel& model, serve::EmbedItem item,
                                       const serve::Asker& asker, WriteVectors write);

}  // namespace holdfast::api
