#pragma once

#include "api/route.h"

namespace holdfast::api {

// What the pages need beside the Hub's protocol: signing in and out,
// switching among the people of a session, and the access tokens of whoever is signed in by a browser.
void add_session_routes(RouteTable& table, Services& services);
void add_token_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
