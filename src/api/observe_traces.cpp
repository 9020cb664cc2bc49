// /api/traces: where the time of a request went, stage by stage.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/observe_routes.h"
#include "api/services.h"
#include "base/clock.h"
#include "govern/registry.h"
#include "identity/permission.h"
#include "observe/desk.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using observe::KeptTrace;
using observe::Span;

constexpr double nanoseconds_of_millisecond = 1e6;

double milliseconds(int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / nanoseconds_of_millisecond;
}

std::string_view kind_name(observe::SpanKind kind) {
  switch (kind) {
    case observe::SpanKind::internal:
      return "internal";
    case observe::SpanKind::server:
      return "server";
    case observe::SpanKind::client:
      return "client";
  }
  return "";
}

json::object span_view(const Span& span, int64_t began_ns) {
  json::object attributes;
  for (const auto& [name, value] : span.attributes)
    attributes[name] = std::visit([](const auto& one) { return json::value(one); }, value);
  return {{"name", span.name},
          {"id", span.id},
          {"parent", span.parent.empty() ? json::value(nullptr) : json::value(span.parent)},
          {"kind", kind_name(span.kind)},
          {"error", span.status == observe::SpanStatus::error},
          {"start_ms", milliseconds(span.began_ns - began_ns)},
          {"duration_ms", milliseconds(span.ended_ns - span.began_ns)},
          {"attributes", std::move(attributes)}};
}

json::object trace_view(const KeptTrace& trace) {
  const Span& server = trace.spans.front();
  json::array spans;
  for (const Span& span : trace.spans) spans.push_back(span_view(span, server.began_ns));
  const std::chrono::nanoseconds began(server.began_ns);
  return {{"request", trace.request},
          {"trace", trace.trace},
          {"at", format_time(WallTime(std::chrono::duration_cast<WallTime::duration>(began)))},
          {"user", trace.user},
          {"model", trace.model},
          {"deployment", trace.deployment},
          {"record", trace.record.empty() ? json::value(nullptr) : json::value(trace.record)},
          {"release", trace.release == 0 ? json::value(nullptr) : json::value(trace.release)},
          {"status", trace.status},
          {"duration_ms", milliseconds(server.ended_ns - server.began_ns)},
          {"spans", std::move(spans)}};
}

// Who sees the record sees its requests; a model without one shows them to who asked, and to administrators.
Result<Response> show(Services& services, govern::Registry& registry, const observe::Desk& desk,
                      const Call& call) {
  const auto may_see = [&](const KeptTrace& trace) {
    if (!trace.record.empty()) return registry.records.find(call.caller, trace.record).ok();
    return trace.user == call.caller.name || services.permission.may_administer_instance(call.caller);
  };
  const auto trace = desk.recent().find(call.capture("trace"), may_see);
  if (trace == nullptr || trace->spans.empty())
    return fail(Code::not_found, "there is no such trace: only the newest are kept, until the server ends");
  return json_answer(trace_view(*trace));
}

}  // namespace

void add_observe_trace_routes(RouteTable& table, Services& services, govern::Registry& registry,
                              observe::Desk& desk) {
  table.add({"GET", "/api/traces/{trace}", "trace", Access::signed_in, 0,
             CallHandler([&](const Call& call) { return show(services, registry, desk, call); })});
}

}  // namespace holdfast::api
