#pragma once

#include <chrono>

namespace holdfast::identity {

// How long callers whom the server let in are let in again while the database cannot be asked. A token that
// another server revokes meanwhile lives as long at most; here none can be revoked then.
inline constexpr std::chrono::minutes outage_max{10};

}  // namespace holdfast::identity
