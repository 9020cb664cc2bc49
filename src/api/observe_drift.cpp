// /api/drift: whether an endpoint's inputs are still what they were, and its answers those of the version
// before.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/observe_routes.h"
#include "api/services.h"
#include "govern/registry.h"
#include "observe/desk.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using observe::DriftBook;

std::string_view band(double psi) {
  if (psi > DriftBook::act_above) return "act";
  return psi > DriftBook::warn_above ? "warn" : "calm";
}

json::object drift_view(const observe::Desk& desk, const std::string& record,
                        const DriftBook::Figures& figures, std::string endpoint) {
  json::array features;
  for (const DriftBook::Moved& moved : figures.features)
    features.push_back(
        json::object{{"feature", moved.feature}, {"psi", moved.psi}, {"band", band(moved.psi)}});
  json::object out{{"record", record},
                   {"endpoint", std::move(endpoint)},
                   {"phase", observe::phase_name(figures.phase)},
                   {"reference_rows", figures.reference_rows},
                   {"window_rows", figures.window_rows},
                   {"features", std::move(features)},
                   {"unseen_words", figures.unseen_words},
                   {"confidence_shift", figures.confidence_shift},
                   {"shadow", nullptr}};
  if (desk.shadow() == nullptr) return out;
  const observe::Shadow::Figures shadow = desk.shadow()->figures(record);
  if (shadow.compared > 0)
    out["shadow"] = json::object{
        {"release", shadow.release},
        {"earlier", shadow.earlier},
        {"compared", shadow.compared},
        {"disagreed", shadow.disagreed},
        {"disagreement", static_cast<double>(shadow.disagreed) / static_cast<double>(shadow.compared)}};
  return out;
}

Result<Response> show(Services&, govern::Registry& registry, observe::Desk& desk, const Call& call) {
  TRY(const govern::StoredRecord stored, registry.records.find(call.caller, record_in_path(call)));
  const std::string& record = stored.record.id;
  return json_answer(
      drift_view(desk, record, desk.drift().figures(record), desk.names().endpoint_of(record)));
}

Result<Response> begin_again(Services& services, govern::Registry& registry, observe::Desk& desk,
                             const Call& call) {
  TRY(const govern::StoredRecord stored,
      registry.access.changeable(services.database, call.caller, record_in_path(call)));
  TRY_DONE(desk.drift().begin_again(services.database, stored.record.id));
  return show(services, registry, desk, call);
}

}  // namespace

void add_observe_drift_routes(RouteTable& table, Services& services, govern::Registry& registry,
                              observe::Desk& desk) {
  table.add({"GET", "/api/drift/{ns}/{name}", "drift", Access::signed_in, 0,
             CallHandler([&](const Call& call) { return show(services, registry, desk, call); })});
  table.add({"POST", "/api/drift/{ns}/{name}/reference", "drift_reference", Access::signed_in_write,
             govern_body_bytes_max,
             CallHandler([&](const Call& call) { return begin_again(services, registry, desk, call); })});
}

}  // namespace holdfast::api
