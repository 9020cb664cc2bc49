#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace holdfast {

// What every request carries through the rooms, first parameter, by reference to const. Who asks is not here
// but in identity::Caller, because the ground knows nothing of users.
struct Context {
  std::string trace_id;  // 32 hex digits, returned as X-Request-Id.
  std::chrono::milliseconds deadline = std::chrono::milliseconds::max();  // On the injected Clock.
  std::stop_token stop;  // The client went away, or we shut down.
};

}  // namespace holdfast
