#pragma once

#include "api/route.h"

namespace holdfast::observe {
class Desk;
}

namespace holdfast::api {

// As mount of route.h; requests to models are told to the desk. Null: to nobody.
Status mount_watched(const RouteTable& table, Services& services, observe::Desk* desk, net::Router& router);

}  // namespace holdfast::api
