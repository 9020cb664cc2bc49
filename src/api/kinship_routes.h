#pragma once

#include "api/route.h"

namespace holdfast::repo {
class Kinship;
}

namespace holdfast::api {

// Whose weights a repository holds, and what stands on certain bytes.
void add_kinship_routes(RouteTable& table, Services& services, repo::Kinship& kinship);

}  // namespace holdfast::api
