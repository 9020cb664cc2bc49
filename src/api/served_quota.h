#pragma once

#include "api/call.h"
#include "api/route.h"

namespace holdfast::api {

struct ServedNote;

// Before a model is asked: one request of what its token, its user, the user's organisations and the endpoint
// may use. rate_limited, and when to come again into the call's note. Requests other than POST are free.
Status take_quota(Services& services, const Call& call);
// After it: what it took is counted, a stream's when that ends; a refusal for want of capacity costs nothing.
void settle_quota(Services& services, const Call& call, Result<net::Response>& answer);
// The same when a stream has ended, by what its note says then.
void settle_stream(const Services& services, const ServedNote& note);
// The x-ratelimit-* headers that OpenAI's clients read. Nothing where no quota holds.
void say_quota(Services& services, const Call& call, net::Response& response);

}  // namespace holdfast::api
