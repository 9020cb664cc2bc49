#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace holdfast::observe {

// W3C Trace Context: which trace a request belongs to, and which span of it is ours.
struct TraceContext {
  std::string trace;   // 32 lower-case hex digits, not all zero.
  std::string span;    // 16, our server span.
  std::string parent;  // 16, the caller's; empty: we begin the trace.
  bool sampled = true;
};

// "00-TRACE-SPAN-FLAGS" of a version that may be newer; nullopt for anything else, which is then as if it had
// not come. `span` is the parent.
std::optional<TraceContext> parse_traceparent(std::string_view header);
std::string traceparent(const TraceContext& context);

// The caller's trace gone on with, or a new one: its id is the request's where that is one.
TraceContext continue_trace(std::string_view traceparent_header, std::string_view request_id, Random& random);

}  // namespace holdfast::observe
