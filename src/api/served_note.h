#pragma once

#include <optional>

#include "api/route.h"
#include "observe/trace_context.h"
#include "serve/release_gate.h"
#include "serve/work.h"

namespace holdfast::observe {
class Desk;
}

namespace holdfast::api {

// What a request was served by: written by find_served_model, read by the framework, which puts it into the
// answer's headers and tells the gate how it ended. One request, one thread; shared by the copies of its
// Call.
struct ServedNote {
  // Set before the handler runs where the caller does not choose: an endpoint's release, a replay.
  std::optional<serve::ReleaseAnswer> fixed;
  std::optional<serve::ReleaseAnswer> by;
  observe::Desk* desk = nullptr;   // Hears of every request to a model; null: nobody does.
  serve::Work work;                // Of every model it asked, together.
  observe::TraceContext trace;     // Set before the handler runs.
  std::string route;               // The pattern that the caller's request matched.
  std::string upstream_span;       // Of the call to an outside engine; empty: there was none.
  std::optional<Dialect> dialect;  // Of failures, where the address decides it: an endpoint's.
  bool told = false;               // How it ended was told already: an endpoint's inner request.
};

}  // namespace holdfast::api
