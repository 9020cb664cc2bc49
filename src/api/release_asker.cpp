// How the server itself asks a release: what an evaluation is made of.
#include "govern/release_asker.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/endpoint_call.h"
#include "api/services.h"
#include "base/random.h"
#include "base/ticks.h"
#include "codec/json.h"
#include "govern/prediction.h"
#include "serve/models.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using govern::AskedRow;

double milliseconds_of(std::chrono::nanoseconds took) {
  return std::chrono::duration<double, std::milli>(took).count();
}

// The logits of all classes, as `holdfast eval` has them from the model itself: the same row has the same
// answer to the bit. Its time is the worker's own, without waiting behind what others ask.
class WorkerAsker final : public govern::ReleaseAsker {
 public:
  WorkerAsker(serve::Models& models, serve::ServedModel model) : models_(models), model_(std::move(model)) {}

  Result<AskedRow> ask(const Context& context, std::string_view text) override {
    const json::object parameters{{"top_k", nullptr}, {"function_to_apply", "none"}, {"truncation", true}};
    serve::EmbedItem item;
    item.wanted = serve::Wanted::task;
    item.texts = {codec::to_text(
        json::object{{"task", "text-classification"}, {"inputs", text}, {"parameters", parameters}})};
    serve::Work work;
    TRY(const serve::EmbedAnswer answer, models_.embed(context, model_, std::move(item), &work));
    TRY(const json::value said, codec::parse_json(answer.json));
    AskedRow row;
    std::vector<measure::LabelScore> logits;
    if (said.is_array())
      for (const json::value& one : said.get_array()) {
        if (!one.is_object()) return fail(Reason::worker_failed, "the worker's answer has no classes");
        TRY(const std::string_view label, codec::json_text(one.get_object(), "label"));
        TRY(const auto score, codec::json_number_if(one.get_object(), "score"));
        logits.push_back({std::string(label), score.value_or(0)});
        row.labels.emplace_back(label);
      }
    if (logits.empty()) return fail(Reason::worker_failed, "the worker's answer has no classes");
    row.answer =
        measure::answer_of(std::move(logits), milliseconds_of(work.tokenize + work.model + work.post));
    return row;
  }

 private:
  serve::Models& models_;
  const serve::ServedModel model_;
};

// What the engine says first counts; its confidence is the score that it gives.
class EngineAsker final : public govern::ReleaseAsker {
 public:
  EngineAsker(Services& services, const GovernDoor& door, AttachedEngine engine, std::string revision,
              identity::Caller caller)
      : services_(services),
        door_(door),
        endpoint_(std::move(engine.endpoint)),
        revision_(std::move(revision)),
        caller_(std::move(caller)) {}

  Result<AskedRow> ask(const Context& context, std::string_view text) override {
    const govern::Attachment* attachment = attachment_for(endpoint_, revision_);
    if (attachment == nullptr) return fail(Code::conflict, "the engine is not attached any more");
    net::Request request;
    request.method = "POST";
    const Call outer{.request = request,
                     .context = {.trace_id = services_.random.hex(16), .stop = context.stop},
                     .caller = caller_,
                     .type = {},
                     .found = {},
                     .base_url = {}};
    const InnerRequest inner{.target = {},
                             .content_type = "application/json",
                             .body = codec::to_text(json::object{{"inputs", text}}),
                             .captures = {}};
    const SystemTicks ticks;
    const auto began = ticks.now();
    TRY(const net::Response answer,
        forward(services_, door_, endpoint_, *attachment, outer, inner, "predict"));
    const double took = milliseconds_of(ticks.now() - began);
    const auto* body = std::get_if<std::string>(&answer.body);
    const auto said = answer.status == 200 && body != nullptr ? govern::predictions_of(*body)
                                                              : std::vector<govern::Prediction>();
    if (said.size() != 1) return fail(Reason::dependency_failed, "the engine answers with no class");
    return AskedRow{
        .answer = {.predicted = said[0].label, .confidence = said[0].score, .milliseconds = took}};
  }

 private:
  Services& services_;
  const GovernDoor door_;
  const govern::Endpoint endpoint_;
  const std::string revision_;
  const identity::Caller caller_;
};

class DoorAskers final : public govern::ReleaseAskers {
 public:
  DoorAskers(Services& services, serve::Models& models, const GovernDoor& door)
      : services_(services), models_(models), door_(door) {}

  Result<std::unique_ptr<govern::ReleaseAsker>> open(const govern::Release& release,
                                                     const identity::Caller& caller) override {
    TRY(AttachedEngine engine, engine_of(door_, caller, release));
    if (engine.attachment != nullptr)
      return std::unique_ptr<govern::ReleaseAsker>(
          std::make_unique<EngineAsker>(services_, door_, std::move(engine), release.revision, caller));
    return std::unique_ptr<govern::ReleaseAsker>(std::make_unique<WorkerAsker>(
        models_, serve::ServedModel{release.repository, release.model, release.revision}));
  }

 private:
  Services& services_;
  serve::Models& models_;
  const GovernDoor door_;
};

}  // namespace

std::unique_ptr<govern::ReleaseAskers> make_release_askers(Services& services, serve::Models& models,
                                                           const GovernDoor& door) {
  return std::make_unique<DoorAskers>(services, models, door);
}

}  // namespace holdfast::api
