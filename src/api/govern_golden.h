#pragma once

#include <cstdint>
#include <string>

#include "api/call.h"
#include "api/govern_routes.h"
#include "api/route.h"
#include "govern/facts.h"

namespace holdfast::api {

// Asks a release all golden examples of its record, by our own worker or by the outside engine of its
// revision, and keeps what it said as evidence. Nothing of it is counted as traffic. conflict where there are
// no examples.
Result<govern::Evidence> run_golden(const RouteTable& table, Services& services, const GovernDoor& door,
                                    const Call& call, const std::string& record, int64_t number);
// The same, where the gate waits for such a run and for nothing else to be decided by it.
Status run_missing_golden(const RouteTable& table, Services& services, const GovernDoor& door,
                          const Call& call, const std::string& record, int64_t number);

}  // namespace holdfast::api
