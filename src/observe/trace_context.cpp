#include "observe/trace_context.h"

#include <algorithm>

namespace holdfast::observe {
namespace {

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text, size_t digits) {
  return text.size() == digits && is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

// https://www.w3.org/TR/trace-context/#traceparent-header: a newer version may have more behind the flags.
std::optional<TraceContext> parse_traceparent(std::string_view header) {
  constexpr size_t known = 55;
  if (header.size() < known || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  const std::string_view version = header.substr(0, 2), flags = header.substr(53, 2);
  if (!is_hex(version) || version == "ff" || !is_hex(flags)) return std::nullopt;
  if (header.size() > known && (version == "00" || header[known] != '-')) return std::nullopt;
  TraceContext out{.trace = std::string(header.substr(3, 32)),
                   .span = std::string(header.substr(36, 16)),
                   .parent = {},
                   .sampled = false};
  if (!is_id(out.trace, 32) || !is_id(out.span, 16)) return std::nullopt;
  const char low = flags[1];
  out.sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
  return out;
}

std::string traceparent(const TraceContext& context) {
  return "00-" + context.trace + "-" + context.span + (context.sampled ? "-01" : "-00");
}

TraceContext continue_trace(std::string_view traceparent_header, std::string_view request_id,
                            Random& random) {
  TraceContext out;
  if (auto given = parse_traceparent(traceparent_header)) {
    out = std::move(*given);
    out.parent = std::move(out.span);
  } else {
    out.trace = is_id(request_id, 32) ? std::string(request_id) : random.hex(16);
  }
  out.span = random.hex(8);
  return out;
}

}  // namespace holdfast::observe
