#pragma once

#include <string>
#include <vector>

#include "govern/endpoints.h"
#include "sql/database.h"

namespace holdfast::govern {

// One, or all where `id` is empty.
Result<std::vector<Endpoint>> endpoint_rows(sql::Transaction& tx, const std::string& id);
EndpointState endpoint_state_of(std::string_view name);

Status check_settings(const EndpointSettings& settings);
Status write_settings(sql::Transaction& tx, const std::string& id, const EndpointSettings& settings,
                      EndpointState state, WallTime at);

}  // namespace holdfast::govern
