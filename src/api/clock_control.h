#pragma once

#include <chrono>

namespace holdfast::api {

// Moves the server's clock on, for journeys that play hours in seconds: `serve --manual-clock` only.
class ClockControl {
 public:
  virtual ~ClockControl() = default;
  virtual void advance(std::chrono::milliseconds step) = 0;
};

}  // namespace holdfast::api
