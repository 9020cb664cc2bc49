#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::observe {

// Numbers are OpenTelemetry's (opentelemetry-proto, trace.proto).
enum class SpanKind : uint8_t { internal = 1, server = 2, client = 3 };
enum class SpanStatus : uint8_t { unset = 0, ok = 1, error = 2 };

using SpanValue = std::variant<std::string, int64_t, double, bool>;

struct Span {
  std::string name, trace, id, parent;  // Ids in hex; parent empty: the first of its trace.
  SpanKind kind = SpanKind::internal;
  SpanStatus status = SpanStatus::unset;
  int64_t began_ns = 0, ended_ns = 0;                                // Since 1970.
  std::vector<std::pair<std::string_view, SpanValue>> attributes{};  // Keys are literals.
};

// An ExportTraceServiceRequest as OTLP's JSON encoding has it: ids in hex, 64-bit numbers as text.
std::string otlp_json(std::span<const Span> spans, const std::string& program_version);

}  // namespace holdfast::observe
