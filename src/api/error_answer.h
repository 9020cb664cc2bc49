#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "api/route.h"
#include "base/context.h"
#include "base/result.h"
#include "net/message.h"

namespace holdfast::api {

// The answer for a failure: status from the reason's row, X-Error-Code, X-Error-Message (header-safe),
// Retry-After where retryable, and a body in the dialect. Internal errors tell the caller nothing of the
// cause.
net::Response error_answer(Dialect dialect, const net::Request& request, const Error& error,
                           const Context& context);
// The hub body with `more` beside "error": a 409 with its "url".
net::Response error_answer_with(const net::Request& request, const Error& error, const Context& context,
                                const boost::json::object& more);
// The net::ErrorWriter for what fails before a route runs (unknown path, limits): the dialect follows the
// path.
net::Response write_error(const net::Request& request, const Error& error, const Context& context);

// An answer with a JSON body.
net::Response json_answer(const boost::json::value& value, int status = 200);
net::Response json_text_answer(std::string json, int status = 200);

// Printable ASCII; other bytes and line ends become '?'; cut to 400 characters.
std::string header_text(std::string_view text);

}  // namespace holdfast::api
