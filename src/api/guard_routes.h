#pragma once

namespace holdfast::api {

class RouteTable;
struct Services;

// What people decide against the checks, with a reason that the audit log keeps: releasing what is held, and
// clearing a repository for kinds of sensitive data.
void add_guard_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
