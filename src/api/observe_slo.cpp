// /api/slo: what endpoints promise, how fast their error budgets go, and in which inputs errors gather.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/observe_routes.h"
#include "govern/registry.h"
#include "observe/desk.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

json::object indicator_view(const observe::IndicatorFigures& figures) {
  json::object windows, alarms;
  for (size_t i = 0; i < observe::windows.size(); ++i) {
    const observe::WindowFigures& window = figures.by_window[i];
    windows[observe::windows[i].name] =
        json::object{{"valid", window.valid}, {"bad", window.bad}, {"burn_rate", window.burn}};
  }
  for (int i = 0; i < observe::alarm_count; ++i)
    alarms[observe::alarm_name(static_cast<observe::Alarm>(i))] = figures.alarms[static_cast<size_t>(i)];
  return {{"objective", figures.objective},
          {"budget_left", figures.budget_left},
          {"windows", std::move(windows)},
          {"alarms", std::move(alarms)}};
}

json::object slo_view(observe::Desk& desk, const std::string& record) {
  const auto known = desk.objectives().view(record);
  const observe::Objectives::View view =
      known.value_or(observe::Objectives::View{.promise = desk.objectives().usual(), .indicators = {}});
  json::object out{{"record", record},
                   {"endpoint", desk.names().endpoint_of(record)},
                   {"period", "30d"},
                   {"latency_ms", view.promise.latency.count()}};
  for (int i = 0; i < observe::indicator_count; ++i)
    out[observe::indicator_name(static_cast<observe::Indicator>(i))] =
        known ? json::value(indicator_view(view.indicators[static_cast<size_t>(i)])) : json::value(nullptr);
  return out;
}

Result<Response> list(govern::Registry& registry, observe::Desk& desk, const Call& call) {
  TRY(const auto records, registry.records.list(call.caller));
  json::array out;
  for (const govern::StoredRecord& stored : records) out.push_back(slo_view(desk, stored.record.id));
  return json_answer(json::object{{"slos", std::move(out)}});
}

Result<Response> show(govern::Registry& registry, observe::Desk& desk, const Call& call) {
  TRY(const govern::StoredRecord stored, registry.records.find(call.caller, record_in_path(call)));
  return json_answer(slo_view(desk, stored.record.id));
}

// Only classes that occurred are named.
json::object by_class(const std::array<int64_t, observe::error_class_count>& errors) {
  json::object out;
  for (int i = 0; i < observe::error_class_count; ++i)
    if (errors[static_cast<size_t>(i)] > 0)
      out[error_class_name(static_cast<ErrorClass>(i))] = errors[static_cast<size_t>(i)];
  return out;
}

// Null where nobody looks at what inputs mean.
json::value meanings_view(const observe::Desk& desk, const std::string& record) {
  if (desk.meanings() == nullptr || !desk.meanings()->looks()) return nullptr;
  json::array out;
  for (const observe::MeaningCell& cell : desk.meanings()->view(record, desk.clock().wall()))
    out.emplace_back(json::object{{"hour", format_time(cell.hour)},
                                  {"cluster", cell.cluster},
                                  {"requests", cell.requests},
                                  {"errors", by_class(cell.errors)}});
  return out;
}

Result<Response> errors(govern::Registry& registry, observe::Desk& desk, const Call& call) {
  TRY(const govern::StoredRecord stored, registry.records.find(call.caller, record_in_path(call)));
  json::array cells;
  for (const observe::ErrorCell& cell : desk.errors().view(stored.record.id, desk.clock().wall())) {
    cells.emplace_back(json::object{{"hour", format_time(cell.hour)},
                                    {"script", observe::script_name(cell.cluster.script)},
                                    {"letters", observe::length_name(cell.cluster.length)},
                                    {"requests", cell.requests},
                                    {"errors", by_class(cell.errors)}});
  }
  return json_answer(json::object{{"record", stored.record.id},
                                  {"hours", observe::ErrorMap::hours},
                                  {"cells", std::move(cells)},
                                  {"meanings", meanings_view(desk, stored.record.id)}});
}

}  // namespace

void add_observe_routes(RouteTable& table, govern::Registry& registry, observe::Desk& desk) {
  table.add({"GET", "/api/slo", "slos", Access::signed_in, 0,
             CallHandler([&](const Call& call) { return list(registry, desk, call); })});
  table.add({"GET", "/api/slo/{ns}/{name}", "slo", Access::signed_in, 0,
             CallHandler([&](const Call& call) { return show(registry, desk, call); })});
  table.add({"GET", "/api/slo/{ns}/{name}/errors", "slo_errors", Access::signed_in, 0,
             CallHandler([&](const Call& call) { return errors(registry, desk, call); })});
}

}  // namespace holdfast::api
