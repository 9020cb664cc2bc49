#pragma once

#include <string>

#include "base/context.h"
#include "net/message.h"

namespace holdfast::api {

// The whole of an answer: the text itself, or what a stream says until it ends, for the server's own asking.
// Waits; timed_out at the context's deadline, client_gone at its stop, too_large beyond `bytes_max`, conflict
// for a body that is neither.
Result<std::string> read_answer(const net::Response& answer, const Context& context, size_t bytes_max);

}  // namespace holdfast::api
