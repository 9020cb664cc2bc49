#include "observe/span.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;

struct AsAnyValue {
  json::object operator()(const std::string& text) const { return {{"stringValue", text}}; }
  json::object operator()(int64_t number) const { return {{"intValue", std::to_string(number)}}; }
  json::object operator()(double number) const { return {{"doubleValue", number}}; }
  json::object operator()(bool flag) const { return {{"boolValue", flag}}; }
};

json::object attribute(std::string_view key, const SpanValue& value) {
  return {{"key", key}, {"value", std::visit(AsAnyValue{}, value)}};
}

json::object span_json(const Span& span) {
  json::array attributes;
  for (const auto& [key, value] : span.attributes) attributes.push_back(attribute(key, value));
  json::object out{{"traceId", span.trace},
                   {"spanId", span.id},
                   {"flags", 1},
                   {"name", span.name},
                   {"kind", static_cast<int>(span.kind)},
                   {"startTimeUnixNano", std::to_string(span.began_ns)},
                   {"endTimeUnixNano", std::to_string(span.ended_ns)},
                   {"attributes", std::move(attributes)},
                   {"status", json::object{{"code", static_cast<int>(span.status)}}}};
  if (!span.parent.empty()) out["parentSpanId"] = span.parent;
  return out;
}

}  // namespace

std::string otlp_json(std::span<const Span> spans, const std::string& program_version) {
  json::array all;
  for (const Span& span : spans) all.push_back(span_json(span));
  json::array about{attribute("service.name", std::string("holdfast")),
                    attribute("service.version", program_version)};
  const json::object scope{{"name", "holdfast"}, {"version", program_version}};
  json::array scopes{json::object{{"scope", scope}, {"spans", std::move(all)}}};
  json::array resources{json::object{{"resource", json::object{{"attributes", std::move(about)}}},
                                     {"scopeSpans", std::move(scopes)}}};
  return codec::to_text(json::object{{"resourceSpans", std::move(resources)}});
}

}  // namespace holdfast::observe
