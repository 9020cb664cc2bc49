#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/route.h"
#include "observe/trace_context.h"
#include "serve/release_gate.h"
#include "serve/work.h"

namespace holdfast::observe {
class Desk;
}
namespace holdfast::serve {
class Allowance;
}

namespace holdfast::api {

class StreamTelling;

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
  // Quotas that hold for it, and what it was let in with; empty and null: none do.
  std::vector<std::string> quota_subjects;
  std::shared_ptr<serve::Allowance> allowance;
  std::string endpoint;            // "ns/name" that it came through.
  bool endpoint_is_spent = false;  // What stands in for it is not counted against it.
  std::string fallback;            // What answered in the place of what was asked: "model ada/x@…".
  std::shared_ptr<StreamTelling>
      stream;  // What an answer goes through that comes in pieces. Null: nobody tells.
  enum class Retention : uint8_t { usual, none } retention = Retention::usual;
  std::chrono::milliseconds queue_delay_max{};  // Of its asker.
  bool odd = false;                             // Counted as such for its caller.
  bool told = false;                            // How it ended was told already: an endpoint's inner request.
};

}  // namespace holdfast::api
