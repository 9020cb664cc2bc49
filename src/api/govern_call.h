#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "api/call.h"
#include "api/govern_routes.h"
#include "api/route.h"

namespace holdfast::api {

inline constexpr uint64_t govern_body_bytes_max = 1 << 20, evidence_body_bytes_max = 20 << 20;

using GovernAnswer = Result<net::Response> (*)(const GovernDoor&, const Call&);
CallHandler govern_handler(const GovernDoor& door, GovernAnswer answer);

// "ns/name" of the path.
std::string record_in_path(const Call& call);
// A number of the path; not_found for what is none.
Result<int64_t> number_in_path(const Call& call, std::string_view name);
// "reason" of the body, empty when there is none.
Result<std::string> reason_in(const boost::json::object& body);
// The body as an object; an empty body is an empty one.
Result<boost::json::object> body_object(const Call& call);

}  // namespace holdfast::api
