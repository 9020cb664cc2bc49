#include "api/guard_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/served_note.h"
#include "api/services.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "codec/json.h"
#include "identity/own_caller.h"
#include "scan/secrets.h"
#include "serve/guard_verdict.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using serve::GuardStage;
using Texts = std::vector<std::string_view>;

constexpr size_t pieces_a_call = 32;

const char* place_words(const GuardStage& stage) {
  return stage.place == GuardStage::Place::before ? "the input is refused" : "the answer is held back";
}

constexpr const char* ended_names[] = {"passed", "flagged", "refused", "failed"};

Result<json::value> ask_model(const GuardLook& look, const GuardStage& stage, const std::string& rest,
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
Result<std::string> asked_of_model(const GuardLook& look, const GuardStage& stage, const Texts& texts) {
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
  return found_in_pieces(look, stage, *pieces);
}

}  // namespace

Result<std::string> found_in_pieces(const GuardLook& look, const GuardStage& stage,
                                    const std::vector<std::string>& pieces) {
  for (size_t at = 0; at < pieces.size(); at += pieces_a_call) {
    const size_t end = std::min(at + pieces_a_call, pieces.size());
    const bool moderates = stage.ask == GuardStage::Ask::moderations;
    json::array inputs;
    for (size_t i = at; i < end; ++i)
      inputs.push_back(moderates ? json::value(pieces[i]) : json::value(json::array{pieces[i]}));
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

Result<std::string> found_by(const GuardLook& look, const GuardStage& stage, const Texts& texts) {
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

void note_look(const GuardLook& look, const GuardStage& stage, size_t number, GuardEnded ended,
               std::string_view found) {
  const char* name = ended_names[static_cast<size_t>(ended)];
  look.services.metrics
      .counter("holdfast_serve_guardrails_total", "Looks of endpoints' guardrails, by what came of them.",
               {{"place", std::string(serve::guard_place_name(stage.place))}, {"outcome", name}})
      .add();
  if (ended == GuardEnded::passed) return;
  look.services.log.info("guardrail", {{"endpoint", look.endpoint},
                                       {"guardrail", number},
                                       {"place", serve::guard_place_name(stage.place)},
                                       {"outcome", name},
                                       {"found", found},
                                       {"trace_id", look.call.context.trace_id}});
}

Error look_failed(const GuardLook& look, const GuardStage& stage, size_t number, const Error& why) {
  note_look(look, stage, number, GuardEnded::failed, reason_row(why.code, why.reason).name);
  return fail(Reason::dependency_failed, fmt::format("{}: guardrail {} of this endpoint could not look at it",
                                                     place_words(stage), number));
}

Error look_cannot_read(const GuardStage& stage, size_t number) {
  return fail(Reason::policy_refused,
              fmt::format("{}: guardrail {} of this endpoint cannot read it", place_words(stage), number));
}

Error look_refuses(const GuardStage& stage, size_t number, std::string_view found) {
  return fail(Reason::policy_refused,
              fmt::format("{} by guardrail {} of this endpoint ({})", place_words(stage), number, found));
}

// A label is whatever its model calls it; a header holds no line end.
std::string told_flag(const GuardStage& stage, size_t number, std::string label) {
  std::replace_if(label.begin(), label.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("{} {} {}", number, serve::guard_place_name(stage.place), label);
}

}  // namespace holdfast::api
