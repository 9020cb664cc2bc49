#pragma once

#include "api/route.h"

namespace holdfast::observe {
class Desk;
}

namespace holdfast::api {

class UpstreamDoor;

// As mount of route.h; requests to models are told to the desk, and what is not here is asked of `upstream`.
// Null: nobody is told or asked.
Status mount_watched(const RouteTable& table, Services& services, observe::Desk* desk, UpstreamDoor* upstream,
                     net::Router& router);

}  // namespace holdfast::api
