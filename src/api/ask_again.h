#pragma once

#include <memory>

#include "api/call.h"
#include "api/govern_routes.h"
#include "govern/requests.h"
#include "observe/shadow.h"

namespace holdfast::api {

// A kept request, asked again of the release that it names, whatever traffic goes where now; it is not
// counted again. `kept.input` is there.
Result<net::Response> ask_again(const RouteTable& table, Services& services, const GovernDoor& door,
                                const Call& call, const govern::KeptRequest& kept);

// Asks earlier versions through the same doors. Borrows all three.
std::unique_ptr<observe::ShadowAsker> make_shadow_asker(const RouteTable& table, Services& services,
                                                        const GovernDoor& door);

}  // namespace holdfast::api
