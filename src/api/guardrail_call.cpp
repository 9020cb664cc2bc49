#include "api/guardrail_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/engine_stream.h"
#include "api/error_answer.h"
#include "api/guard_look.h"
#include "api/guarded_stream.h"
#include "api/input_check.h"
#include "api/input_texts.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/ticks.h"
#include "codec/json.h"
#include "identity/permission.h"
#include "observe/desk.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using serve::GuardStage;
using Texts = std::vector<std::string_view>;

constexpr size_t looked_at_bytes_max = 4 << 20;

// What a request asks, or nothing where it cannot be read.
std::optional<Texts> texts_asked(const json::value& body) {
  if (!body.is_object() || has_token_ids(body.get_object()) || has_file(body.get_object()))
    return std::nullopt;
  Texts out;
  for (const auto& [text, place] : input_texts(body.get_object(), Voices::all)) out.push_back(text);
  if (out.size() >= input_texts_max) return std::nullopt;
  return out;
}

std::optional<Texts> texts_answered(const json::value& answer) {
  Texts out = output_texts(answer);
  if (out.size() >= input_texts_max) return std::nullopt;
  return out;
}

// All stages of one place in order, what they flag into `flags`; the first that refuses ends it. `texts`
// nullopt: nobody can read them.
Status run_stages(const GuardLook& look, const serve::GuardStages& stages, GuardStage::Place place,
                  const std::optional<Texts>& texts, std::string& flags) {
  for (size_t i = 0; i < stages.size(); ++i) {
    const GuardStage& stage = stages[i];
    if (stage.place != place) continue;
    Result<std::string> found = fail(Reason::unsupported_media, "there is no text that could be looked at");
    if (texts) found = found_by(look, stage, *texts);
    if (!found.ok()) {
      if (found.error().reason == Reason::client_gone) return found.error();
      const Error failed = look_failed(look, stage, i + 1, found.error());
      if (stage.failing == GuardStage::Failing::open) continue;
      return texts ? failed : look_cannot_read(stage, i + 1);
    }
    if (found.value().empty()) {
      note_look(look, stage, i + 1, GuardEnded::passed, "");
      continue;
    }
    const bool refuses = stage.then == GuardStage::Then::refuse;
    note_look(look, stage, i + 1, refuses ? GuardEnded::refused : GuardEnded::flagged, found.value());
    if (refuses) return look_refuses(stage, i + 1, found.value());
    flags += (flags.empty() ? "" : ", ") + told_flag(stage, i + 1, found.value());
  }
  return Done{};
}

bool has_place(const serve::GuardStages& stages, GuardStage::Place place) {
  return std::any_of(stages.begin(), stages.end(), [&](const GuardStage& one) { return one.place == place; });
}

const Ticks* ticks_of(const Call& call) {
  return call.served && call.served->desk != nullptr ? &call.served->desk->ticks() : nullptr;
}

// `act`, its time as the guardrails'.
template <class Act>
Status timed(const Call& call, Act act) {
  const Ticks* ticks = ticks_of(call);
  const auto began = ticks == nullptr ? std::chrono::nanoseconds{} : ticks->now();
  const Status done = act();
  if (ticks != nullptr) call.served->work.guard += ticks->now() - began;
  return done;
}

struct Guarding {
  std::string endpoint, rest;
  GuardAsker ask;
  std::shared_ptr<const serve::GuardStages> stages;
  GuardedStreams* streams = nullptr;
  Dialect dialect = Dialect::hub;
};

Result<Response> answer_guarded(Services& services, const Guarding& guarding, const Call& call,
                                const CallHandler& handler) {
  using Place = GuardStage::Place;
  const GuardLook look{services, call, guarding.endpoint, guarding.ask};
  const serve::GuardStages& stages = *guarding.stages;
  const bool after = has_place(stages, Place::after);
  std::string flags;
  if (has_place(stages, Place::before))
    TRY_DONE(timed(call, [&] {
      std::optional<Texts> texts;
      const auto body = call.request.body.size() > looked_at_bytes_max
                            ? Result<json::value>(fail(Reason::input_too_long, ""))
                            : codec::parse_json(call.request.body);
      if (body.ok()) texts = texts_asked(body.value());
      return run_stages(look, stages, Place::before, texts, flags);
    }));
  if (after && asks_for_stream(guarding.rest, call.request.body)) {
    if (guarding.streams == nullptr)
      return fail(Reason::not_offered, "'stream' is not offered where answers are looked at");
    TRY_DONE(guarding.streams->watch(services, call,
                                     {guarding.endpoint, guarding.stages, guarding.ask, guarding.dialect}));
  }
  Call whole = call;
  whole.may_be_late = call.may_be_late && !after;
  TRY(Response answer, handler(whole));
  const bool comes_in_pieces = std::holds_alternative<std::shared_ptr<net::PushedBody>>(answer.body);
  if (after && comes_in_pieces && !is_watched(call))
    return fail(Reason::policy_refused, "the answer is held back: it comes in pieces that nobody looks at");
  if (after && !comes_in_pieces && answer.status == 200)
    TRY_DONE(timed(call, [&] {
      std::optional<Texts> texts;
      const auto* text = std::get_if<std::string>(&answer.body);
      const auto said = text == nullptr || text->size() > looked_at_bytes_max
                            ? Result<json::value>(fail(Reason::input_too_long, ""))
                            : codec::parse_json(*text);
      if (said.ok()) texts = texts_answered(said.value());
      return run_stages(look, stages, Place::after, texts, flags);
    }));
  if (!flags.empty()) answer.headers.set(std::string(guardrails_header), flags);
  return answer;
}

}  // namespace

CallHandler guarded(Services& services, GuardedEndpoint endpoint, CallHandler handler) {
  const auto stages = services.guards == nullptr || services.guards->guardrails == nullptr
                          ? nullptr
                          : services.guards->guardrails->stages_of(endpoint.name);
  if (stages == nullptr || runs_no_model("/" + endpoint.rest)) return handler;
  Guarding guarding{std::move(endpoint.name), std::move(endpoint.rest), std::move(endpoint.ask), stages,
                    endpoint.streams,         endpoint.dialect};
  return [&services, guarding = std::move(guarding),
          handler = std::move(handler)](const Call& call) -> Result<Response> {
    if (call.request.method != "POST") return handler(call);
    return answer_guarded(services, guarding, call, handler);
  };
}

namespace {

std::string endpoint_in_path(const Call& call) {
  return fmt::format("{}/{}", call.capture("ns"), call.capture("name"));
}

Result<serve::Guardrails*> guardrails_of(const Services& services, const Call& call) {
  if (services.guards == nullptr || services.guards->guardrails == nullptr)
    return fail(Reason::not_offered, "this server keeps no guardrails");
  const identity::Resource resource{
      .kind = identity::EntityKind::endpoint, .ns = call.capture("ns"), .name = call.capture("name")};
  if (!services.permission.may(call.caller, identity::Right::admin, resource))
    return fail(Reason::forbidden, "the guardrails of an endpoint are its namespace's administrators'");
  return services.guards->guardrails;
}

Result<Response> show(Services& services, const Call& call) {
  TRY(const serve::Guardrails* guardrails, guardrails_of(services, call));
  json::array out;
  if (const auto stages = guardrails->stages_of(endpoint_in_path(call)))
    for (const GuardStage& stage : *stages) out.push_back(serve::guard_stage_json(stage));
  return json_answer(json::object{{"endpoint", endpoint_in_path(call)}, {"guardrails", std::move(out)}});
}

Result<Response> set(Services& services, const MaySee& may_see, const Call& call) {
  TRY(serve::Guardrails * guardrails, guardrails_of(services, call));
  TRY_DONE(may_see(call, endpoint_in_path(call)));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* list, codec::json_array(body, "guardrails"));
  serve::GuardStages stages;
  for (const json::value& one : *list) {
    if (stages.size() > serve::guard_stages_max) break;  // Refused below.
    TRY(GuardStage stage, serve::read_guard_stage(one));
    if (stage.endpoint == endpoint_in_path(call))
      return fail(Reason::bad_request, "an endpoint is no guardrail of itself");
    if (!stage.endpoint.empty()) TRY_DONE(may_see(call, stage.endpoint));
    stages.push_back(std::move(stage));
  }
  TRY_DONE(guardrails->set(endpoint_in_path(call), std::move(stages)));
  return show(services, call);
}

}  // namespace

void add_guardrail_routes(RouteTable& table, Services& services, MaySee may_see) {
  constexpr uint64_t body_bytes_max = 1 << 20;
  table.add("GET", "/api/endpoints/{ns}/{name}/guardrails", "endpoint_guardrails", Access::signed_in, 0,
            services, show);
  table.add({.method = "PUT",
             .pattern = "/api/endpoints/{ns}/{name}/guardrails",
             .name = "endpoint_guardrails_set",
             .access = Access::signed_in_write,
             .body_bytes_max = body_bytes_max,
             .handle = [&services, may_see = std::move(may_see)](const Call& call) {
               return set(services, may_see, call);
             }});
}

}  // namespace holdfast::api
