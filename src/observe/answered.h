#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/reason.h"
#include "base/result.h"
#include "identity/caller.h"
#include "observe/trace_context.h"
#include "serve/release_gate.h"
#include "serve/work.h"

namespace holdfast::observe {

// How a request to a model ended, as objectives count it.
enum class Outcome : uint8_t {
  answered,  // Well, and validly.
  failed,    // Our fault, the model's or its engine's.
  refused,   // For want of capacity.
  rejected,  // The caller's own: wrong input, no right. Counts against nobody.
};
inline constexpr int outcome_count = 4;
std::string_view outcome_name(Outcome outcome);

// One request to a model, after it ended. Borrowed for the call that hands it over.
struct Answered {
  const serve::ServedCall& call;
  serve::Work work{};
  std::chrono::nanoseconds took{};  // From the door's admission to its answer.
  WallTime began{};
  const Error* error = nullptr;  // Null: there was an answer, of call.status.
  const identity::Caller* caller = nullptr;
  TraceContext trace{};
  std::string_view method = "POST", route{};  // The route as a pattern.
  std::string_view upstream_span{};           // Of the call to an outside engine; empty: there was none.
};

// What an answer of status 200 must be to be one.
enum class Expected : uint8_t { anything, labels };

// What the objectives, the counters and the log say of it.
struct Judgement {
  Outcome outcome = Outcome::answered;
  Expected expected = Expected::anything;
  std::optional<ErrorClass> error_class;
  std::string_view reason;          // Machine code of docs/errors.md; empty for an answer.
  std::chrono::nanoseconds post{};  // What the door itself took.
};
Judgement judge(const Answered& answered, Expected expected);

}  // namespace holdfast::observe
