#pragma once

#include <boost/json/fwd.hpp>

#include "base/result.h"

namespace holdfast::api {

// Which tier of service answers: this server has the one, and says so wherever a request names any.
inline constexpr const char* service_tier = "default";
// Whether the request names a tier; bad_request for one that OpenAI's protocol does not have.
Result<bool> names_service_tier(const boost::json::object& body);

// What a call of /v1/chat/completions says of how it is served rather than of the text, taken out of it. What
// asks for nothing that is not done anyway passes; what would change the answer or keep it is not offered.
Status take_service_wishes(boost::json::object& body);

}  // namespace holdfast::api
