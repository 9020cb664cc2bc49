#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/fill_words.h"
#include "api/openai_routes.h"
#include "api/openai_service.h"
#include "api/openai_shapes.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_task.h"
#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using Style = CompletionShape::Style;

constexpr uint64_t body_bytes_max = 8 << 20;
constexpr double temperature_max = 2;
constexpr size_t stops_max = 4;
constexpr int scores_max = 5;
constexpr int64_t text_tokens_default = 16;  // OpenAI's own, of /v1/completions.

// One prompt, or each of a list of texts or of lists of token ids.
Result<json::array> read_prompts(const json::object& body) {
  const Error bad =
      fail(Reason::bad_request, "'prompt' is a text, token ids, or a list of texts or of lists of token ids");
  const json::value* prompt = body.if_contains("prompt");
  if (prompt == nullptr || prompt->is_null()) return fail(Reason::bad_request, "'prompt' is missing");
  if (prompt->is_string()) return json::array{*prompt};
  if (!prompt->is_array() || prompt->get_array().empty()) return bad;
  const json::array& list = prompt->get_array();
  if (list.front().is_number()) {
    json::array one;
    one.push_back(*prompt);
    return one;
  }
  for (const json::value& each : list)
    if (each.kind() != list.front().kind() || !(each.is_string() || each.is_array())) return bad;
  return list;
}

Result<int64_t> read_count(const json::object& body) {
  TRY(const auto count, codec::json_integer_if(body, "n"));
  if (count && (*count < 1 || *count > static_cast<int64_t>(choices_max)))
    return fail(Reason::bad_request, fmt::format("'n' is between 1 and {}", choices_max));
  TRY(const auto best, codec::json_integer_if(body, "best_of"));
  if (best && *best < count.value_or(1)) return fail(Reason::bad_request, "'best_of' is 'n' or more");
  if (best && *best > count.value_or(1))
    return fail(Reason::not_offered, "'best_of' beyond 'n' is not offered here");
  return count.value_or(1);
}

Status read_stream(const json::object& body, CompletionShape& shape) {
  TRY(const auto streams, codec::json_flag_if(body, "stream"));
  shape.streams = streams.value_or(false);
  TRY(const json::object* options, codec::json_object_if(body, "stream_options"));
  if (options == nullptr) return Done{};
  if (!shape.streams) return fail(Reason::bad_request, "'stream_options' is for streams");
  TRY(const auto usage, codec::json_flag_if(*options, "include_usage"));
  shape.with_usage = usage.value_or(false);
  return Done{};
}

bool wants_log_probabilities(const json::object& body) {
  const json::value* wanted = body.if_contains("logprobs");
  return wanted != nullptr && (wanted->is_bool() ? wanted->get_bool() : wanted->is_number());
}

// Bounds of this protocol alone; all others are the worker's.
Status check_bounds(const json::object& body, Style style) {
  TRY(const auto temperature, codec::json_number_if(body, "temperature"));
  if (temperature && !(*temperature >= 0 && *temperature <= temperature_max))
    return fail(Reason::bad_request, fmt::format("'temperature' is between 0 and {}", temperature_max));
  if (const json::value* stop = body.if_contains("stop");
      stop != nullptr && stop->is_array() && stop->get_array().size() > stops_max)
    return fail(Reason::bad_request, fmt::format("'stop' is up to {} texts", stops_max));
  const json::value* scores = body.if_contains("logprobs");
  if (style == Style::chat && scores != nullptr && !scores->is_null() && !scores->is_bool())
    return fail(Reason::bad_request, "'logprobs' is true or false");
  if (style == Style::text && scores != nullptr && scores->is_number() &&
      scores->to_number<double>() > scores_max)
    return fail(Reason::bad_request, fmt::format("'logprobs' is between 0 and {}", scores_max));
  TRY(const json::array* messages, codec::json_array_if(body, "messages"));
  if (messages == nullptr) return Done{};
  for (const json::value& message : *messages) {
    if (!message.is_object()) continue;  // Is refused with all that is wrong with it.
    const json::value* role = message.get_object().if_contains("role");
    if (role == nullptr || !role->is_string() || role->get_string() != "tool") continue;
    TRY(const auto id, codec::json_text_if(message.get_object(), "tool_call_id"));
    if (!id) return fail(Reason::bad_request, "'messages' of the role 'tool' have a 'tool_call_id'");
  }
  return Done{};
}

// What the worker is asked: one call a choice, each with a seed of its own.
Result<std::vector<std::string>> split(json::object body, Style style, size_t count) {
  TRY(const auto seed, codec::json_integer_if(body, "seed"));
  for (const char* key : {"model", "stream", "stream_options", "n", "best_of"}) body.erase(key);
  json::array prompts;
  if (style == Style::text) {
    TRY(prompts, read_prompts(body));
    if (const json::value* most = body.if_contains("max_tokens"); most == nullptr || most->is_null())
      body["max_tokens"] = text_tokens_default;
  }
  const size_t lists = style == Style::text ? prompts.size() : 1;
  if (lists > choices_max / count)
    return fail(Reason::bad_request,
                fmt::format("'prompt' and 'n' ask for more than {} answers", choices_max));
  std::vector<std::string> out;
  for (size_t prompt = 0; prompt < lists; ++prompt) {
    if (style == Style::text) body["prompt"] = prompts[prompt];
    for (size_t i = 0; i < count; ++i) {
      if (seed) body["seed"] = static_cast<int64_t>(static_cast<uint64_t>(*seed) + i);
      out.push_back(codec::to_text(body));
    }
  }
  return out;
}

// With a "suffix" the text between is written, by a model that has words to ask for that.
Status fill_between(serve::Models& models, const Call& call, const serve::ServedModel& model,
                    json::object& body) {
  TRY(const auto said, codec::json_text_if(body, "suffix"));
  const std::string behind(said.value_or(""));
  body.erase("suffix");
  if (behind.empty()) return Done{};
  TRY(const auto echo, codec::json_flag_if(body, "echo"));
  if (echo.value_or(false)) return fail(Reason::bad_request, "'echo' and 'suffix' exclude each other");
  TRY(json::array prompts, read_prompts(body));
  for (const json::value& prompt : prompts)
    if (!prompt.is_string()) return fail(Reason::bad_request, "'suffix' is for a 'prompt' of text");
  TRY(const auto words, fill_words_of(models, call, model));
  if (!words)
    return fail(Reason::not_offered, "'suffix' is not offered by this model: it has no words for it");
  for (json::value& prompt : prompts) prompt = words->prompt(std::string_view(prompt.get_string()), behind);
  body["prompt"] = std::move(prompts);
  return Done{};
}

Result<net::Response> complete(Services& services, serve::Models& models, const Call& call, Style style) {
  TRY(json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string name, model_wanted(call, body));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  CompletionShape shape;
  shape.style = style;
  shape.model = name;
  if (const json::value* said = body.if_contains("model"); said != nullptr && said->is_string())
    shape.model = said->get_string();
  shape.id = (style == Style::chat ? "chatcmpl-" : "cmpl-") + services.random.hex(12);
  shape.fingerprint = "fp_" + model.commit.substr(0, 12);
  shape.created =
      std::chrono::duration_cast<std::chrono::seconds>(services.clock.wall().time_since_epoch()).count();
  shape.with_log_probabilities = wants_log_probabilities(body);
  if (style == Style::chat && !body.contains("messages"))
    return fail(Reason::bad_request, "'messages' is missing");
  if (style == Style::chat && body.contains("prompt"))
    return fail(Reason::bad_request, "'prompt' is for /v1/completions");
  TRY_DONE(read_stream(body, shape));
  TRY_DONE(check_bounds(body, style));
  if (style == Style::chat) {
    TRY(shape.with_tier, names_service_tier(body));
    TRY_DONE(take_service_wishes(body));
  }
  if (style == Style::text) TRY_DONE(fill_between(models, call, model, body));
  TRY(const int64_t count, read_count(body));
  TRY(std::vector<std::string> requests, split(std::move(body), style, static_cast<size_t>(count)));
  shape.choices = requests.size();
  shape.choices_a_prompt = static_cast<size_t>(count);
  return write_answers(services, models, call, model, std::move(requests),
                       make_openai_form(std::move(shape)));
}

}  // namespace

void add_completion_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<Style> rows[] = {
      {"POST", "/v1/chat/completions", "openai_chat", Style::chat},
      {"POST", "/v1/completions", "openai_completions", Style::text},
      {"POST", "/models/{ns}/{name}/v1/chat/completions", "model_chat", Style::chat},
      {"POST", "/models/{ns}/{name}/chat/completions", "llama_chat", Style::chat},
      {"POST", "/models/{ns}/{name}/v1/completions", "model_completions", Style::text},
      {"POST", "/hf-inference/models/{ns}/{name}/v1/chat/completions", "inference_model_chat", Style::chat}};
  add_rows(table, rows, body_bytes_max, Dialect::openai, [&services, &models](const Call& call, Style style) {
    return complete(services, models, call, style);
  });
}

}  // namespace holdfast::api
