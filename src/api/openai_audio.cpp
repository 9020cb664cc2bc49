#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/audio_form.h"
#include "api/openai_routes.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_task.h"
#include "api/transcript.h"
#include "serve/task_text.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = serve::task_file_bytes_max + (64 << 10);
constexpr std::string_view speech_task = "automatic-speech-recognition";

enum class Wish : uint8_t { transcribe, translate };

// Which pieces have times: words where they are asked for, else segments.
Result<bool> wants_words(const AudioForm& form) {
  bool words = false;
  for (const std::string_view name : {"timestamp_granularities[]", "timestamp_granularities"}) {
    const auto found = form.fields.find(name);
    if (found == form.fields.end()) continue;
    for (const std::string& one : found->second) {
      if (one != "word" && one != "segment")
        return fail(Reason::bad_request, "'timestamp_granularities' are word and segment");
      words = words || one == "word";
    }
  }
  return words;
}

Result<json::object> read_parameters(const AudioForm& form, Wish wish) {
  json::object out;
  if (wish == Wish::translate) out["task"] = "translate";
  if (const std::string_view language = form.field("language"); !language.empty()) out["language"] = language;
  if (const std::string_view prompt = form.field("prompt"); !prompt.empty()) out["prompt"] = prompt;
  if (const std::string_view said = form.field("temperature"); !said.empty()) {
    double temperature = -1;
    const auto read = std::from_chars(said.data(), said.data() + said.size(), temperature);
    if (read.ec != std::errc{} || read.ptr != said.data() + said.size() || !(temperature >= 0) ||
        temperature > 1)
      return fail(Reason::bad_request, "'temperature' is a number from 0 to 1");
    if (temperature > 0) {
      out["temperature"] = temperature;
      out["do_sample"] = true;
    }
  }
  if (const std::string_view stream = form.field("stream"); stream == "true" || stream == "1")
    return fail(Reason::not_offered, "'stream' is not offered here: the answer comes whole");
  return out;
}

Result<net::Response> transcribe(Services& services, serve::Models& models, const Call& call, Wish wish) {
  TRY(const AudioForm form, read_audio_form(call.request));
  const std::string name =
      call.capture("name").empty() ? std::string(form.field("model")) : model_in_path(call);
  if (name.empty()) return fail(Reason::bad_request, "'model' is missing");
  TRY(const TranscriptForm shape, read_transcript_form(form.field("response_format")));
  TRY(const bool words, wants_words(form));
  if (words && shape != TranscriptForm::verbose_json)
    return fail(Reason::bad_request, "times of words come with 'response_format' verbose_json");
  TRY(json::object parameters, read_parameters(form, wish));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  if (facts.task != speech_task)
    return fail(Reason::model_unsupported, fmt::format("the model '{}' does not write down speech", name));
  const bool timed = shape != TranscriptForm::json && shape != TranscriptForm::text;
  if (timed) parameters["return_timestamps"] = words ? json::value("word") : json::value(true);
  if (shape == TranscriptForm::verbose_json) parameters["describe"] = true;
  TRY(const json::value answer,
      ask_task(models, call, model, speech_task, nullptr, std::move(parameters), form.file));
  net::Response response;
  response.headers.set("Content-Type", std::string(transcript_type(shape)));
  response.body = transcript(answer, shape, wish == Wish::translate, words);
  return response;
}

}  // namespace

void add_audio_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<Wish> rows[] = {
      {"POST", "/v1/audio/transcriptions", "openai_transcriptions", Wish::transcribe},
      {"POST", "/v1/audio/translations", "openai_translations", Wish::translate},
      {"POST", "/models/{ns}/{name}/v1/audio/transcriptions", "model_transcriptions", Wish::transcribe},
      {"POST", "/models/{ns}/{name}/v1/audio/translations", "model_translations", Wish::translate}};
  add_rows(table, rows, body_bytes_max, Dialect::openai, [&services, &models](const Call& call, Wish wish) {
    return transcribe(services, models, call, wish);
  });
}

}  // namespace holdfast::api
