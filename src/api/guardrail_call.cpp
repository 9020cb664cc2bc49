#include "api/guardrail_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/engine_stream.h"
#include "api/error_answer.h"
#include "api/input_check.h"
#include "api/input_texts.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/ticks.h"
#include "codec/json.h"
#include "identity/own_caller.h"
#include "identity/permission.h"
#include "observe/desk.h"
#include "scan/secrets.h"
#include "serve/guard_verdict.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using serve::GuardStage;
using Texts = std::vector<std::string_view>;

constexpr size_t looked_at_bytes_max = 4 << 20, pieces_a_call = 32;
constexpr const char* told_header = "X-Holdfast-Guardrails";

// What a stage needs to look. Borrowed for one request.
struct Look {
  Services& services;
  const Call& call;
  const std::string& endpoint;
  const GuardAsker& ask;
};

Result<json::value> ask_model(const Look& look, const GuardStage& stage, const std::string& rest,
                              const json::object& body) {
  net::Request request;
  request.method = "POST";
  request.target = fmt::format("/endpoints/{}/{}", stage.endpoint, rest);
  request.headers.set("Content-Type", "application/json");
  if (const auto kept = look.call.request.headers.find("Cache-Control"))
    request.headers.set("Cache-Control",
                        std::string(*kept));  // What must not be kept is not kept there either.
  request.body = codec::to_text(json::value(body));
  const auto note = std::make_shared<ServedNote>();  // Shared with the call's copies.
  if (look.call.served) {
    note->desk = look.call.served->desk;
    note->trace = look.call.served->trace;
    note->retention = look.call.served->retention;
    note->route = look.call.served->route;
  }
  Call call{.request = request,
            .context = look.call.context,
            .caller = identity::own_caller("(guardrail)"),
            .type = {},
            .found = {},
            .base_url = look.call.base_url,
            .served = note};
  call.context.deadline = std::min(call.context.deadline, look.services.clock.now() + stage.timeout);
  TRY(const Response answer, look.ask(call, stage.endpoint, rest));
  const auto* text = std::get_if<std::string>(&answer.body);
  if (answer.status != 200 || text == nullptr)
    return fail(Reason::worker_failed, "the guarding endpoint answers with no verdict");
  return codec::parse_json(*text);
}

// What a model finds, by the label; empty for nothing.
Result<std::string> asked_of_model(const Look& look, const GuardStage& stage, const Texts& texts) {
  if (stage.ask == GuardStage::Ask::chat) {
    std::string joined;
    for (const std::string_view text : texts) joined += joined.empty() ? text : fmt::format("\n{}", text);
    TRY(const json::value said,
        ask_model(look, stage, "v1/chat/completions",
                  {{"model", stage.endpoint},
                   {"messages", json::array{json::object{{"role", "user"}, {"content", joined}}}},
                   {"max_tokens", 16},
                   {"temperature", 0}}));
    return serve::found_by_chat(stage, said);
  }
  const auto pieces = serve::guard_pieces(texts);
  if (!pieces) return fail(Reason::input_too_long, "there is more than a guarding model is asked of");
  for (size_t at = 0; at < pieces->size(); at += pieces_a_call) {
    const size_t end = std::min(at + pieces_a_call, pieces->size());
    const bool moderates = stage.ask == GuardStage::Ask::moderations;
    json::array inputs;
    for (size_t i = at; i < end; ++i)
      inputs.push_back(moderates ? json::value((*pieces)[i]) : json::value(json::array{(*pieces)[i]}));
    std::string found;
    if (moderates) {
      TRY(const json::value said, ask_model(look, stage, "v1/moderations",
                                            {{"model", stage.endpoint}, {"input", std::move(inputs)}}));
      TRY(found, serve::found_by_moderations(stage, said));
    } else {
      TRY(const json::value said,
          ask_model(look, stage, "predict", {{"inputs", std::move(inputs)}, {"truncate", true}}));
      TRY(found, serve::found_by_labels(stage, said));
    }
    if (!found.empty()) return found;
  }
  return std::string();
}

Result<std::string> found_by(const Look& look, const GuardStage& stage, const Texts& texts) {
  if (texts.empty()) return std::string();
  if (!stage.endpoint.empty()) return asked_of_model(look, stage, texts);
  for (const std::string_view text : texts) {
    if (!stage.words.empty() && serve::has_words(text, stage.words)) return std::string("words");
    if (!stage.secrets) continue;
    const scan::Place place;
    scan::FileReport report;
    scan::SecretSearch search(place, report);
    search.look(text, 1, text.size());
    if (!report.findings.empty()) return std::string("secret");
  }
  return std::string();
}

// What a request asks, or nothing where it cannot be read.
std::optional<Texts> texts_asked(const json::value& body) {
  if (!body.is_object() || has_token_ids(body.get_object())) return std::nullopt;
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

enum class Ended : uint8_t { passed, flagged, refused, failed };
constexpr const char* ended_names[] = {"passed", "flagged", "refused", "failed"};

void note_look(const Look& look, const GuardStage& stage, size_t number, Ended ended,
               std::string_view found) {
  const char* name = ended_names[static_cast<size_t>(ended)];
  look.services.metrics
      .counter("holdfast_serve_guardrails_total", "Looks of endpoints' guardrails, by what came of them.",
               {{"place", std::string(serve::guard_place_name(stage.place))}, {"outcome", name}})
      .add();
  if (ended == Ended::passed) return;
  look.services.log.info("guardrail", {{"endpoint", look.endpoint},
                                       {"guardrail", number},
                                       {"place", serve::guard_place_name(stage.place)},
                                       {"outcome", name},
                                       {"found", found},
                                       {"trace_id", look.call.context.trace_id}});
}

// All stages of one place in order, what they flag into `flags`; the first that refuses ends it. `texts`
// nullopt: nobody can read them.
Status run_stages(const Look& look, const serve::GuardStages& stages, GuardStage::Place place,
                  const std::optional<Texts>& texts, std::string& flags) {
  const char* what = place == GuardStage::Place::before ? "the input is refused" : "the answer is held back";
  for (size_t i = 0; i < stages.size(); ++i) {
    const GuardStage& stage = stages[i];
    if (stage.place != place) continue;
    Result<std::string> found = fail(Reason::unsupported_media, "there is no text that could be looked at");
    if (texts) found = found_by(look, stage, *texts);
    if (!found.ok()) {
      if (found.error().reason == Reason::client_gone) return found.error();
      note_look(look, stage, i + 1, Ended::failed, reason_row(found.error().code, found.error().reason).name);
      if (stage.failing == GuardStage::Failing::open) continue;
      if (!texts)
        return fail(Reason::policy_refused,
                    fmt::format("{}: guardrail {} of this endpoint cannot read it", what, i + 1));
      return fail(Reason::dependency_failed,
                  fmt::format("{}: guardrail {} of this endpoint could not look at it", what, i + 1));
    }
    if (found.value().empty()) {
      note_look(look, stage, i + 1, Ended::passed, "");
      continue;
    }
    const bool refuses = stage.then == GuardStage::Then::refuse;
    note_look(look, stage, i + 1, refuses ? Ended::refused : Ended::flagged, found.value());
    if (refuses)
      return fail(Reason::policy_refused,
                  fmt::format("{} by guardrail {} of this endpoint ({})", what, i + 1, found.value()));
    // A label is whatever its model calls it; a header holds no line end.
    std::string label = found.value();
    std::replace_if(label.begin(), label.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    flags +=
        fmt::format("{}{} {} {}", flags.empty() ? "" : ", ", i + 1, serve::guard_place_name(place), label);
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

Result<Response> answer_guarded(const Look& look, const serve::GuardStages& stages, const std::string& rest,
                                const CallHandler& handler) {
  using Place = GuardStage::Place;
  const Call& call = look.call;
  const bool after = has_place(stages, Place::after);
  if (after && asks_for_stream(rest, call.request.body))
    return fail(
        Reason::not_offered,
        "'stream' is not offered at this endpoint: its answers are looked at whole before they are sent");
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
  Call whole = call;
  whole.may_be_late = call.may_be_late && !after;
  TRY(Response answer, handler(whole));
  if (after && answer.status == 200)
    TRY_DONE(timed(call, [&] {
      std::optional<Texts> texts;
      const auto* text = std::get_if<std::string>(&answer.body);
      const auto said = text == nullptr || text->size() > looked_at_bytes_max
                            ? Result<json::value>(fail(Reason::input_too_long, ""))
                            : codec::parse_json(*text);
      if (said.ok()) texts = texts_answered(said.value());
      return run_stages(look, stages, Place::after, texts, flags);
    }));
  if (!flags.empty()) answer.headers.set(told_header, flags);
  return answer;
}

}  // namespace

CallHandler guarded(Services& services, const std::string& endpoint, const std::string& rest, GuardAsker ask,
                    CallHandler handler) {
  const auto stages = services.guards == nullptr || services.guards->guardrails == nullptr
                          ? nullptr
                          : services.guards->guardrails->stages_of(endpoint);
  if (stages == nullptr || runs_no_model("/" + rest)) return handler;
  return [&services, endpoint, rest, ask = std::move(ask), handler = std::move(handler),
          stages](const Call& call) -> Result<Response> {
    if (call.request.method != "POST") return handler(call);
    return answer_guarded({services, call, endpoint, ask}, *stages, rest, handler);
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
