#pragma once

#include <optional>

#include "serve/release_gate.h"

namespace holdfast::api {

// What a request was served by: written by find_served_model, read by the framework, which puts it into the
// answer's headers and tells the gate how it ended. One request, one thread; shared by the copies of its
// Call.
struct ServedNote {
  // Set before the handler runs where the caller does not choose: an endpoint's release, a replay.
  std::optional<serve::ReleaseAnswer> fixed;
  std::optional<serve::ReleaseAnswer> by;
};

}  // namespace holdfast::api
