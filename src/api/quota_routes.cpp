// /api/quotas: what tokens, users, organisations and endpoints may use of models, and what they used.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "api/error_answer.h"
#include "api/quota_routes.h"
#include "api/services.h"
#include "base/clock.h"
#include "codec/json.h"
#include "identity/audit.h"
#include "identity/permission.h"
#include "serve/guards.h"
#include "serve/quotas.h"
#include "sql/database.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using serve::Measure;
using serve::Subject;
using serve::SubjectKind;

constexpr uint64_t body_bytes_max = 16 << 10;
constexpr double money_units = 1e6, amount_most = 1e15;

Result<serve::Quotas*> quotas_of(const Services& services) {
  if (services.guards == nullptr || services.guards->quotas == nullptr)
    return fail(Reason::not_offered, "this server keeps no quotas");
  return services.guards->quotas;
}

Result<Subject> subject_in_path(const Call& call) {
  return serve::parse_subject(fmt::format("{}:{}", call.capture("kind"), call.capture("name")));
}

// An endpoint's by who administers its namespace; all others by who administers the instance.
bool may_set(const Services& services, const identity::Caller& caller, const Subject& subject) {
  if (services.permission.may_administer_instance(caller)) return true;
  if (subject.kind != SubjectKind::endpoint) return false;
  const size_t slash = subject.name.find('/');
  return services.permission.may(caller, identity::Right::admin,
                                 {.kind = identity::EntityKind::endpoint,
                                  .ns = std::string_view(subject.name).substr(0, slash),
                                  .name = std::string_view(subject.name).substr(slash + 1)});
}

bool may_see(const Services& services, const identity::Caller& caller, const Subject& subject) {
  if (may_set(services, caller, subject)) return true;
  switch (subject.kind) {
    case SubjectKind::token:
      return subject.name == std::to_string(caller.token.raw);
    case SubjectKind::user:
      return subject.name == caller.name;
    case SubjectKind::organisation:
      for (const identity::Membership& membership : caller.memberships)
        if (membership.organisation == subject.name) return true;
      return false;
    case SubjectKind::endpoint:
    case SubjectKind::feature:
      return false;
  }
  return false;
}

json::value amount_view(Measure measure, int64_t amount) {
  if (serve::counted_by(measure) != serve::Counted::money) return amount;
  return static_cast<double>(amount) / money_units;
}

Result<json::object> view(serve::Quotas& quotas, const Subject& subject) {
  TRY(const std::vector<serve::QuotaState> states, quotas.states(subject));
  json::object limits;
  for (const serve::QuotaState& state : states)
    limits[serve::measure_name(state.measure)] =
        json::object{{"limit", amount_view(state.measure, state.limit)},
                     {"used", amount_view(state.measure, state.used)},
                     {"remaining", amount_view(state.measure, state.remaining())},
                     {"resets_in_ms", state.resets_in.count()}};
  return json::object{{"subject", subject.text()}, {"limits", std::move(limits)}};
}

Result<Response> list(Services& services, const Call& call) {
  TRY(serve::Quotas * quotas, quotas_of(services));
  TRY(const std::vector<std::string> all, quotas->limited());
  json::array out;
  for (const std::string& text : all) {
    TRY(const Subject subject, serve::parse_subject(text));
    if (!may_see(services, call.caller, subject)) continue;
    TRY(json::object one, view(*quotas, subject));
    out.push_back(std::move(one));
  }
  return json_answer(json::object{{"quotas", std::move(out)}});
}

Result<Response> show(Services& services, const Call& call) {
  TRY(serve::Quotas * quotas, quotas_of(services));
  TRY(const Subject subject, subject_in_path(call));
  if (!may_see(services, call.caller, subject)) return fail(Reason::forbidden, "this quota is not yours");
  TRY(const json::object one, view(*quotas, subject));
  return json_answer(one);
}

Result<std::vector<serve::Quotas::Change>> read_changes(const json::object& body) {
  std::vector<serve::Quotas::Change> out;
  for (const auto& [key, value] : body) {
    const auto measure = serve::measure_of_name(key);
    if (!measure)
      return fail(Reason::bad_request, fmt::format("'{}' is no measure: requests_minute, requests_day, "
                                                   "tokens_minute, tokens_day and money_day are",
                                                   std::string_view(key).substr(0, 60)));
    if (value.is_null()) {
      out.push_back({*measure, std::nullopt});
      continue;
    }
    const bool money = serve::counted_by(*measure) == serve::Counted::money;
    const double amount = value.is_number() ? value.to_number<double>() * (money ? money_units : 1) : -1;
    if (!(amount >= 0 && amount <= amount_most))
      return fail(Reason::bad_request,
                  fmt::format("'{}' is a number of 0 or more, or null for no limit", std::string_view(key)));
    out.push_back({*measure, std::llround(amount)});
  }
  if (out.empty()) return fail(Reason::bad_request, "nothing is said of any measure");
  return out;
}

Result<Response> set(Services& services, const Call& call) {
  TRY(serve::Quotas * quotas, quotas_of(services));
  TRY(const Subject subject, subject_in_path(call));
  if (!may_set(services, call.caller, subject))
    return fail(Reason::forbidden, "this quota is set by who administers the instance, or the endpoint");
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const auto changes, read_changes(body));
  TRY_DONE(quotas->set(subject, changes, call.caller.name));
  TRY_DONE(services.database.write([&](sql::Transaction& tx) -> Status {
    return services.audit.append(tx, {.actor = call.caller.name,
                                      .action = "quota.changed",
                                      .subject = subject.text(),
                                      .details = {{"limits", codec::to_text(body)}}});
  }));
  TRY(const json::object one, view(*quotas, subject));
  return json_answer(one);
}

}  // namespace

void add_quota_routes(RouteTable& table, Services& services) {
  table.add("GET", "/api/quotas", "quotas", Access::signed_in, 0, services, list);
  table.add("GET", "/api/quotas/{kind}/{name*}", "quota", Access::signed_in, 0, services, show);
  table.add("PUT", "/api/quotas/{kind}/{name*}", "quota_set", Access::signed_in_write, body_bytes_max,
            services, set);
}

}  // namespace holdfast::api
