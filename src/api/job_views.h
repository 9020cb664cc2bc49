#pragma once

#include <boost/json/fwd.hpp>

#include "api/job_routes.h"
#include "base/clock.h"
#include "job/files.h"

namespace holdfast::api {

using JobHandler = Result<net::Response> (*)(const JobDoor& door, const Call& call);
CallHandler job_handler(const JobDoor& door, JobHandler handler);

// policy_refused where nothing of what models are asked may stay, by the server's word or the caller's.
Status check_may_keep(const Call& call);

int64_t seconds_of(WallTime time);  // Since 1970, as OpenAI's objects count.

// ?limit=&after=&order= of a list; bad_request names the key.
Result<job::PageWish> page_wish(const Call& call, size_t usual, size_t most);
// {"object": "list", "data", "first_id", "last_id", "has_more"}.
boost::json::object page_view(boost::json::array data, bool more);

}  // namespace holdfast::api
