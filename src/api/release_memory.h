#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>

#include "api/call.h"
#include "api/govern_routes.h"

namespace holdfast::api {

// What memory a release of the record in the path needs beside the one that takes the traffic now, whose
// workers are loaded, or will be with its next request while both are asked: an object as of an endpoint's
// change, with the number of the release that stands as "standing". Null where nobody looks, an attached
// engine answers, or nothing stands.
Result<boost::json::value> foreseen_release_memory(const GovernDoor& door, const Call& call, int64_t number);
// Refuses a release that does not fit: unavailable. A caller who knows better says "?memory=unchecked".
Status check_release_memory(const GovernDoor& door, const Call& call, int64_t number);

}  // namespace holdfast::api
