#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace holdfast::client {

struct Retries {
  int attempts_max = 4;                         // All together, the first one too.
  std::chrono::milliseconds first_pause{500};   // Doubles with each attempt; half of it is chance.
  std::chrono::milliseconds pause_max{30'000};  // What a server asks for beyond it is not waited for.
};

// May the same request be sent twice? GET, HEAD, PUT, DELETE and OPTIONS may; of others the caller knows.
enum class Repeatable : uint8_t { no, yes };
Repeatable repeatable_method(std::string_view method);

// What a Retry-After says (RFC 9110, 10.2.3): seconds, or a date as "Sun, 06 Nov 1994 08:49:37 GMT". None for
// what is neither.
std::optional<std::chrono::milliseconds> read_retry_after(std::string_view value, WallTime now);

// The pause before attempt number `attempt` + 1, or none where that is not made. `status` is 0 for a failure
// of the network; `retry_after` as the server said it, empty where it did not.
std::optional<std::chrono::milliseconds> retry_pause(const Retries& retries, Repeatable repeatable,
                                                     int attempt, int status, std::string_view retry_after,
                                                     WallTime now, Random& random);

}  // namespace holdfast::client
