#pragma once

#include <boost/json/fwd.hpp>
#include <optional>

#include "api/call.h"
#include "api/govern_routes.h"
#include "base/result.h"
#include "govern/endpoints.h"

namespace holdfast::api {

// "min_replicas", "max_replicas", "scale_to_zero_minutes" and "queue_delay_ms" of a body; none where it has
// none of them.
Result<std::optional<govern::EndpointSettings>> read_settings(const boost::json::object& body);
// What is to change of an endpoint that exists: "model", "revision" and the settings, each of which stays as
// it is where the body leaves it out; bad_request names a member that changes nothing.
Result<govern::EndpointChange> read_change(const boost::json::object& body, const govern::Endpoint& before);
// What memory the change needs while both versions are loaded: an object with "standing_bytes", "next_bytes",
// "free_bytes" and "fits"; null where nobody looks, or nothing of ours is loaded.
Result<boost::json::value> foreseen_memory(const GovernDoor& door, const Call& call,
                                           const govern::EndpointChange& change);
// Refuses a change that does not fit: unavailable. A caller who knows better says "?memory=unchecked".
Status check_memory(const GovernDoor& door, const Call& call, const govern::EndpointChange& change);
// The same as they are shown; null for an endpoint that is not managed.
boost::json::value settings_view(const std::optional<govern::EndpointSettings>& settings);

}  // namespace holdfast::api
