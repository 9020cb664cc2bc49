#include "api/fallback_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/error_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/clock.h"
#include "base/reason.h"
#include "codec/json.h"
#include "identity/permission.h"
#include "serve/fallbacks.h"
#include "serve/guards.h"
#include "serve/quotas.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using serve::FallbackChain;
using serve::FallbackStep;

constexpr size_t marked_bytes_max = 1 << 20;  // Of a body that gets a member.
constexpr int64_t timeout_most = 600'000;

enum class Ending : uint8_t { good, callers, busy, broken };

Ending ending_of(const Result<Response>& answer) {
  if (answer.ok()) {
    const int status = answer.value().status;
    if (status >= 500) return Ending::broken;
    return status == 429 ? Ending::busy : Ending::good;
  }
  const Error& error = answer.error();
  if (error.reason == Reason::rate_limited || error.reason == Reason::quota ||
      error.reason == Reason::client_gone)
    return Ending::callers;
  switch (reason_row(error.code, error.reason).error_class) {
    case ErrorClass::capacity:
      return Ending::busy;
    case ErrorClass::model:
    case ErrorClass::timeout:
    case ErrorClass::dependency:
    case ErrorClass::server:
      return Ending::broken;
    case ErrorClass::client:
    case ErrorClass::tokenization:
    case ErrorClass::policy:
      return Ending::callers;
  }
  return Ending::callers;
}

std::string told(const FallbackStep& step) {
  if (step.kind == FallbackStep::Kind::fixed) return "answer";
  return fmt::format("{} {}", serve::fallback_kind_name(step.kind), step.target);
}

void mark(const Call& call, const FallbackStep& step, std::string_view why, Response& response) {
  const std::string what = told(step);
  response.headers.set("X-Holdfast-Fallback", what);
  response.headers.set("X-Holdfast-Fallback-Reason", std::string(why));
  call.served->fallback = what;
  auto* body = std::get_if<std::string>(&response.body);
  // A body that a receipt speaks of stays as it is.
  if (body == nullptr || body->size() > marked_bytes_max || call.served->dialect != Dialect::openai ||
      response.headers.find("X-Holdfast-Receipt"))
    return;
  auto object = codec::parse_json_object(*body);
  if (!object.ok()) return;
  object.value()["holdfast"] = json::object{{"fallback", what}};
  *body = codec::to_text(object.value());
}

Result<Response> take_step(const Call& call, const FallbackStep& step, const FallbackAskers& askers) {
  switch (step.kind) {
    case FallbackStep::Kind::model:
      return askers.model(call, step.target);
    case FallbackStep::Kind::endpoint:
      return askers.endpoint(call, step.target);
    case FallbackStep::Kind::fixed:
      break;
  }
  call.served->by.reset();  // No model made it.
  TRY(const json::value answer, codec::parse_json(step.target));
  return json_answer(answer);
}

Result<Response> ask_itself(Services& services, const Call& call, const std::string& endpoint,
                            const FallbackChain& chain, const FallbackAskers& askers) {
  Call attempt = call;
  if (chain.timeout.count() > 0)
    attempt.context.deadline = std::min(call.context.deadline, services.clock.now() + chain.timeout);
  return askers.endpoint(attempt, endpoint);
}

// The first step of the chain that answers; nullopt where none does.
std::optional<Result<Response>> stand_in(serve::Fallbacks& fallbacks, const Call& call,
                                         const FallbackChain& chain, const FallbackAskers& askers,
                                         std::string_view why) {
  for (const FallbackStep& step : chain.steps) {
    if (call.context.stop.stop_requested()) break;
    auto answer = take_step(call, step, askers);
    if (ending_of(answer) != Ending::good) continue;
    fallbacks.used(step.kind);
    mark(call, step, why, answer.value());
    return answer;
  }
  fallbacks.failed();
  return std::nullopt;
}

}  // namespace

Result<Response> answer_with_fallbacks(Services& services, const Call& call, const std::string& endpoint,
                                       const FallbackAskers& askers) {
  serve::Fallbacks* fallbacks = services.guards == nullptr ? nullptr : services.guards->fallbacks;
  const auto chain = fallbacks == nullptr ? nullptr : fallbacks->chain_of(endpoint);
  if (chain == nullptr || !call.served || call.request.method != "POST")
    return askers.endpoint(call, endpoint);
  const auto instead = [&](std::string_view why) { return stand_in(*fallbacks, call, *chain, askers, why); };
  serve::Quotas* quotas = services.guards->quotas;
  if (quotas != nullptr && quotas->is_spent({serve::SubjectKind::endpoint, endpoint})) {
    call.served->endpoint_is_spent = true;
    if (auto answer = instead("cost")) return std::move(*answer);
    // It says itself that it has cost what it may, and until when.
    call.served->endpoint_is_spent = false;
    call.served->quota_subjects.clear();
    return askers.endpoint(call, endpoint);
  }
  serve::Breakers& breakers = fallbacks->breakers();
  Result<Response> answer = fail(Reason::dependency_failed, "the endpoint failed too often of late");
  std::string_view why = "breaker";
  if (breakers.admits(endpoint)) {
    answer = ask_itself(services, call, endpoint, *chain, askers);
    const Ending ending = ending_of(answer);
    if (ending == Ending::broken)
      breakers.failed(endpoint);
    else
      breakers.succeeded(endpoint);
    if (ending == Ending::good || ending == Ending::callers) return answer;
    why = ending == Ending::busy ? "busy" : "failure";
  }
  if (auto other = instead(why)) return std::move(*other);
  return answer;
}

namespace {

Result<serve::Fallbacks*> fallbacks_of(const Services& services) {
  if (services.guards == nullptr || services.guards->fallbacks == nullptr)
    return fail(Reason::not_offered, "this server keeps no fallbacks");
  return services.guards->fallbacks;
}

std::string endpoint_in_path(const Call& call) {
  return fmt::format("{}/{}", call.capture("ns"), call.capture("name"));
}

Status check_right(const Services& services, const Call& call) {
  const identity::Resource resource{
      .kind = identity::EntityKind::endpoint, .ns = call.capture("ns"), .name = call.capture("name")};
  if (!services.permission.may(call.caller, identity::Right::admin, resource))
    return fail(Reason::forbidden, "the fallbacks of an endpoint are its namespace's administrators'");
  return Done{};
}

std::string_view breaker_name(serve::BreakerState state) {
  switch (state) {
    case serve::BreakerState::closed:
      return "closed";
    case serve::BreakerState::open:
      return "open";
    case serve::BreakerState::half_open:
      return "half_open";
  }
  return "closed";
}

Result<Response> show(Services& services, const Call& call) {
  TRY(serve::Fallbacks * fallbacks, fallbacks_of(services));
  TRY_DONE(check_right(services, call));
  const std::string endpoint = endpoint_in_path(call);
  const auto chain = fallbacks->chain_of(endpoint);
  json::array steps;
  if (chain != nullptr)
    for (const FallbackStep& step : chain->steps) {
      json::value target(step.target);
      if (step.kind == FallbackStep::Kind::fixed) {
        TRY(target, codec::parse_json(step.target));
      }
      steps.push_back(json::object{{serve::fallback_kind_name(step.kind), std::move(target)}});
    }
  return json_answer(json::object{{"endpoint", endpoint},
                                  {"timeout_ms", chain == nullptr ? 0 : chain->timeout.count()},
                                  {"steps", std::move(steps)},
                                  {"breaker", breaker_name(fallbacks->breakers().state(endpoint))}});
}

Result<FallbackStep> read_step(const json::value& value) {
  const Error wrong =
      fail(Reason::bad_request,
           "a step is {\"model\": \"ns/name@revision\"}, {\"endpoint\": \"ns/name\"} or {\"answer\": …}");
  if (!value.is_object() || value.get_object().size() != 1) return wrong;
  const auto& [key, target] = *value.get_object().begin();
  const auto kind = serve::fallback_kind_of_name(key);
  if (!kind) return wrong;
  FallbackStep step{*kind, {}};
  if (step.kind == FallbackStep::Kind::fixed) {
    step.target = codec::to_text(target);
  } else {
    if (!target.is_string() || target.get_string().find('/') == std::string_view::npos) return wrong;
    step.target = target.get_string();
  }
  if (step.target.size() > serve::fallback_bytes_max) return fail(Reason::bad_request, "a step is too long");
  return step;
}

Result<Response> set(Services& services, const Call& call) {
  TRY(serve::Fallbacks * fallbacks, fallbacks_of(services));
  TRY_DONE(check_right(services, call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  FallbackChain chain;
  TRY(const auto timeout, codec::json_integer_if(body, "timeout_ms"));
  if (timeout && (*timeout < 0 || *timeout > timeout_most))
    return fail(Reason::bad_request, fmt::format("'timeout_ms' is from 0 to {}", timeout_most));
  chain.timeout = std::chrono::milliseconds(timeout.value_or(0));
  TRY(const json::array* steps, codec::json_array_if(body, "steps"));
  if (steps == nullptr) return fail(Reason::bad_request, "'steps' is missing");
  for (const json::value& value : *steps) {
    TRY(FallbackStep step, read_step(value));
    if (step.kind == FallbackStep::Kind::endpoint && step.target == endpoint_in_path(call))
      return fail(Reason::bad_request, "an endpoint is no fallback of itself");
    chain.steps.push_back(std::move(step));
  }
  TRY_DONE(fallbacks->set(endpoint_in_path(call), std::move(chain)));
  return show(services, call);
}

}  // namespace

void add_fallback_routes(RouteTable& table, Services& services) {
  constexpr uint64_t body_bytes_max = 1 << 20;
  table.add("GET", "/api/endpoints/{ns}/{name}/fallback", "endpoint_fallback", Access::signed_in, 0, services,
            show);
  table.add("PUT", "/api/endpoints/{ns}/{name}/fallback", "endpoint_fallback_set", Access::signed_in_write,
            body_bytes_max, services, set);
}

}  // namespace holdfast::api
