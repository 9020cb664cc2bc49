#pragma once

#include "api/route.h"

namespace holdfast::govern {
struct Registry;
}

namespace holdfast::observe {
class Desk;
}

namespace holdfast::api {

// /api/slo, /api/drift and /api/traces of docs/registry-api.md: for who sees the record. Borrows all it is
// given.
void add_observe_routes(RouteTable& table, govern::Registry& registry, observe::Desk& desk);
void add_observe_drift_routes(RouteTable& table, Services& services, govern::Registry& registry,
                              observe::Desk& desk);
void add_observe_trace_routes(RouteTable& table, Services& services, govern::Registry& registry,
                              observe::Desk& desk);
// An endpoint's own /metrics, for scrapers of the engines that it stands for.
void add_observe_figure_routes(RouteTable& table, Services& services, govern::Registry& registry,
                               observe::Desk& desk);

}  // namespace holdfast::api
