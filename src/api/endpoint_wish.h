#pragma once

#include <boost/json/fwd.hpp>
#include <optional>

#include "base/result.h"
#include "govern/endpoints.h"

namespace holdfast::api {

// "min_replicas", "max_replicas", "scale_to_zero_minutes" and "queue_delay_ms" of a body; none where it has
// none of them.
Result<std::optional<govern::EndpointSettings>> read_settings(const boost::json::object& body);
// The same as they are shown; null for an endpoint that is not managed.
boost::json::value settings_view(const std::optional<govern::EndpointSettings>& settings);

}  // namespace holdfast::api
