#include "cli/completion_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "codec/json.h"
#include "jinja/chat.h"
#include "model/structured/gbnf.h"
#include "model/structured/json_schema.h"
#include "model/structured/regex_grammar.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr size_t stops_most = 16, stop_bytes_most = 256, alternatives_most = 20, biases_most = 4'096;

// Keys that say nothing of the text.
constexpr std::string_view passed_over[] = {
    "user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key"};
constexpr std::string_view known[] = {"messages",
                                      "prompt",
                                      "max_tokens",
                                      "max_completion_tokens",
                                      "temperature",
                                      "top_p",
                                      "top_k",
                                      "min_p",
                                      "repetition_penalty",
                                      "presence_penalty",
                                      "frequency_penalty",
                                      "seed",
                                      "stop",
                                      "logit_bias",
                                      "logprobs",
                                      "top_logprobs",
                                      "response_format",
                                      "n",
                                      "guided_regex",
                                      "guided_grammar"};

Error wrong(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("'{}' {}", key, what));
}

Status check_keys(const json::object& body) {
  const auto among = [](std::span<const std::string_view> list, std::string_view key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  for (const auto& [key, value] : body) {
    if (value.is_null() || among(known, key) || among(passed_over, key)) continue;
    if (key == "tools" || key == "functions" || key == "tool_choice" || key == "audio" ||
        key == "modalities" || key == "reasoning_effort" || key == "prediction" ||
        key == "parallel_tool_calls")
      return fail(Reason::not_offered, fmt::format("'{}' is not offered here", std::string_view(key)));
    return fail(Reason::bad_request, fmt::format("unknown key '{}'", std::string_view(key).substr(0, 60)));
  }
  return Done{};
}

// Text of a message: a string, or parts of which all are text.
Result<std::string> content_of(const json::object& message) {
  const json::value* content = message.if_contains("content");
  if (content == nullptr || content->is_null()) return std::string();
  if (content->is_string()) return std::string(content->get_string());
  if (!content->is_array()) return wrong("content", "is a text or a list of parts");
  std::string out;
  for (const json::value& part : content->get_array()) {
    if (!part.is_object()) return wrong("content", "has a part that is no object");
    TRY(const std::string_view type, codec::json_text(part.get_object(), "type"));
    if (type != "text" && type != "input_text")
      return fail(Reason::not_offered, fmt::format("the model reads text, not '{}'", type.substr(0, 40)));
    TRY(const std::string_view text, codec::json_text(part.get_object(), "text"));
    out += text;
  }
  return out;
}

Result<std::string> render(const json::array& messages, const model::TextGenerator& generator, WallTime now) {
  if (messages.empty()) return wrong("messages", "is empty");
  if (generator.chat_template().empty())
    return fail(Reason::model_unsupported,
                "the model has no chat template: use /v1/completions with a 'prompt'");
  json::array plain;
  for (const json::value& each : messages) {
    if (!each.is_object()) return wrong("messages", "is a list of objects");
    TRY(std::string_view role, codec::json_text(each.get_object(), "role"));
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant" && role != "tool")
      return wrong("role", "is system, developer, user, assistant or tool");
    TRY(const std::string content, content_of(each.get_object()));
    plain.push_back(json::object{{"role", role}, {"content", content}});
  }
  const json::object call{{"messages", std::move(plain)},
                          {"add_generation_prompt", true},
                          {"special_tokens", generator.special_tokens()}};
  TRY(const jinja::Template chat_template, jinja::Template::parse(generator.chat_template()));
  TRY(const jinja::ChatRequest request, jinja::chat_request(call, now));
  return jinja::render_chat(chat_template, request);
}

Result<std::vector<model::TokenId>> read_prompt(const json::object& body,
                                                const model::TextGenerator& generator, WallTime now) {
  TRY(const json::array* messages, codec::json_array_if(body, "messages"));
  token::EncodeOptions options;
  std::string text;
  if (messages != nullptr) {
    TRY(text, render(*messages, generator, now));
    options.special = token::SpecialTokens::leave_out;
  } else {
    TRY(const std::string_view prompt, codec::json_text(body, "prompt"));
    text = prompt;
  }
  TRY(const token::Encoding encoding,
      generator.tokenizer().encode({.text = text, .words = {}, .pair = {}}, options));
  if (encoding.ids.empty()) return fail(Reason::tokenization_failed, "the prompt has no tokens");
  return std::vector<model::TokenId>(encoding.ids.begin(), encoding.ids.end());
}

Result<std::optional<double>> number_in(const json::object& body, std::string_view key, double least,
                                        double most) {
  TRY(const std::optional<double> value, codec::json_number_if(body, key));
  if (value && !(*value >= least && *value <= most))
    return wrong(key, fmt::format("is between {} and {}", least, most));
  return value;
}

Status read_sampling(const json::object& body, CompletionCall& call) {
  model::GenerationSettings& settings = call.settings;
  settings.sample = true;
  TRY(const auto temperature, number_in(body, "temperature", 0, 2));
  if (temperature) settings.temperature = *temperature;
  // Below this the scores' differences leave what a float holds: it is greedy search.
  if (temperature && *temperature < 1e-5) {
    settings.sample = false;
    settings.temperature = 1;
  }
  TRY(const auto top_p, number_in(body, "top_p", 0, 1));
  if (top_p) settings.top_p = *top_p;
  TRY(const auto min_p, number_in(body, "min_p", 0, 1));
  if (min_p) settings.min_p = *min_p;
  TRY(const auto top_k, number_in(body, "top_k", -1, 1e9));
  if (top_k) settings.top_k = *top_k > 0 ? static_cast<size_t>(*top_k) : 0;
  TRY(const auto repetition, number_in(body, "repetition_penalty", 1e-3, 10));
  if (repetition) settings.repetition_penalty = *repetition;
  TRY(const auto presence, number_in(body, "presence_penalty", -2, 2));
  settings.presence_penalty = presence.value_or(0);
  TRY(const auto frequency, number_in(body, "frequency_penalty", -2, 2));
  settings.frequency_penalty = frequency.value_or(0);
  TRY(const auto seed, codec::json_integer_if(body, "seed"));
  call.seeded = seed.has_value();
  if (seed) settings.seed = static_cast<uint64_t>(*seed);
  TRY(const json::object* biases, codec::json_object_if(body, "logit_bias"));
  if (biases == nullptr) return Done{};
  if (biases->size() > biases_most) return wrong("logit_bias", "has too many tokens");
  for (const auto& [token, bias] : *biases) {
    uint32_t id = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), id);
    if (error != std::errc{} || end != token.data() + token.size() || !bias.is_number() ||
        !(std::abs(bias.to_number<double>()) <= 100))
      return wrong("logit_bias", "maps token ids to numbers between -100 and 100");
    settings.sequence_bias.push_back({{id}, bias.to_number<double>()});
  }
  return Done{};
}

Status read_limits(const json::object& body, const model::TextGenerator& generator, CompletionCall& call) {
  const size_t room = generator.tokens_max() - std::min(generator.tokens_max(), call.prompt.size());
  if (room == 0)
    return fail(Reason::input_too_long,
                fmt::format("the prompt has {} tokens, the model takes {} with its answer",
                            call.prompt.size(), generator.tokens_max()));
  TRY(auto most, codec::json_integer_if(body, "max_completion_tokens"));
  if (!most) {
    TRY(most, codec::json_integer_if(body, "max_tokens"));
  }
  if (most && *most < 1) return wrong("max_tokens", "is 1 or more");
  call.settings.length_max.reset();
  call.settings.new_tokens_max = most ? std::min(static_cast<size_t>(*most), room) : room;
  const json::value* stop = body.if_contains("stop");
  if (stop == nullptr || stop->is_null()) return Done{};
  const json::array list = stop->is_array() ? stop->get_array() : json::array{*stop};
  if (list.size() > stops_most) return wrong("stop", "has too many texts");
  for (const json::value& each : list) {
    if (!each.is_string() || each.get_string().empty() || each.get_string().size() > stop_bytes_most)
      return wrong("stop", "is a text or a list of texts, none empty");
    call.stops.emplace_back(each.get_string());
  }
  return Done{};
}

Status read_log_probabilities(const json::object& body, CompletionCall& call) {
  const json::value* wanted = body.if_contains("logprobs");
  TRY(const auto top, codec::json_integer_if(body, "top_logprobs"));
  if (top && (*top < 0 || *top > static_cast<int64_t>(alternatives_most)))
    return wrong("top_logprobs", "is between 0 and 20");
  if (wanted == nullptr || wanted->is_null()) return Done{};
  if (wanted->is_bool()) {
    if (wanted->get_bool()) call.alternatives = static_cast<size_t>(top.value_or(0));
    return Done{};
  }
  // As /v1/completions has it: their number.
  if (!wanted->is_int64() || wanted->get_int64() < 0 || wanted->get_int64() > 20)
    return wrong("logprobs", "is true, false or a number up to 20");
  call.alternatives = static_cast<size_t>(wanted->get_int64());
  return Done{};
}

Status read_structure(const json::object& body, CompletionCall& call) {
  const auto bind = [&](Result<model::structured::Grammar> grammar) -> Status {
    TRY(model::structured::Grammar made, std::move(grammar));
    call.grammar = std::make_shared<const model::structured::Grammar>(std::move(made));
    return Done{};
  };
  TRY(const auto regex, codec::json_text_if(body, "guided_regex"));
  if (regex) return bind(model::structured::grammar_of_regex(*regex));
  TRY(const auto grammar, codec::json_text_if(body, "guided_grammar"));
  if (grammar) return bind(model::structured::grammar_of_gbnf(*grammar));
  TRY(const json::object* format, codec::json_object_if(body, "response_format"));
  if (format == nullptr) return Done{};
  TRY(const std::string_view type, codec::json_text(*format, "type"));
  if (type == "text") return Done{};
  if (type == "json_object")
    return bind(model::structured::grammar_of_schema(json::object{{"type", "object"}}));
  if (type != "json_schema") return wrong("response_format", "has the type text, json_object or json_schema");
  TRY(const json::object* named, codec::json_object(*format, "json_schema"));
  const json::value* schema = named->if_contains("schema");
  if (schema == nullptr) return wrong("json_schema", "has no 'schema'");
  return bind(model::structured::grammar_of_schema(*schema));
}

}  // namespace

Result<CompletionCall> read_completion_call(const json::object& body, const model::TextGenerator& generator,
                                            WallTime now) {
  TRY_DONE(check_keys(body));
  TRY(const auto answers, codec::json_integer_if(body, "n"));
  if (answers && *answers != 1) return fail(Reason::not_offered, "'n' is 1: ask once for each answer");
  CompletionCall call;
  call.settings = generator.model().generation();
  call.settings.beams = call.settings.returned = 1;
  TRY_DONE(read_sampling(body, call));
  TRY_DONE(read_log_probabilities(body, call));
  TRY_DONE(read_structure(body, call));
  TRY(call.prompt, read_prompt(body, generator, now));
  TRY_DONE(read_limits(body, generator, call));
  return call;
}

}  // namespace holdfast::cli
