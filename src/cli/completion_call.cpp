#include "cli/completion_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "cli/conversation.h"
#include "codec/json.h"
#include "model/structured/gbnf.h"
#include "model/structured/json_schema.h"
#include "model/structured/regex_grammar.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr double temperature_most = 100;  // The doors that know a lower one say so.
constexpr size_t stops_most = 16, stop_bytes_most = 256, alternatives_most = 20, biases_most = 4'096;

// Keys that say nothing of the text.
constexpr std::string_view passed_over[] = {
    "user",    "metadata", "safety_identifier", "prompt_cache_key", "cache_prompt",
    "id_slot", "priority", "cache_salt",        "verbosity",        "prompt_cache_retention"};
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
                                      "guided_json",
                                      "guided_regex",
                                      "guided_grammar",
                                      "guided_choice",
                                      "structured_outputs",
                                      "grammar",
                                      "tools",
                                      "tool_choice",
                                      "parallel_tool_calls",
                                      "documents",
                                      "chat_template_kwargs",
                                      "reasoning_effort",
                                      "echo",
                                      "with_tokens",
                                      "with_prompt",
                                      "truncate_prompt_tokens",
                                      "typical_p",
                                      "min_tokens",
                                      "ignore_eos"};
constexpr std::string_view not_offered[] = {
    "functions", "function_call", "audio", "modalities", "prediction", "suffix", "web_search_options"};

Error wrong(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("'{}' {}", key, what));
}

Status check_keys(const json::object& body) {
  const auto among = [](std::span<const std::string_view> list, std::string_view key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  for (const auto& [key, value] : body) {
    if (value.is_null() || among(known, key) || among(passed_over, key)) continue;
    if (among(not_offered, key))
      return fail(Reason::not_offered, fmt::format("'{}' is not offered here", std::string_view(key)));
    return fail(Reason::bad_request,
                fmt::format("'{}' is no key that is known here", std::string_view(key).substr(0, 60)));
  }
  return Done{};
}

Result<std::vector<model::TokenId>> ids_of(const json::array& list, const model::TextGenerator& generator) {
  std::vector<model::TokenId> out;
  const uint64_t most = generator.model().plan().vocabulary;
  for (const json::value& id : list) {
    if (!id.is_int64() || id.get_int64() < 0 || static_cast<uint64_t>(id.get_int64()) >= most)
      return wrong("prompt", fmt::format("has token ids from 0 to {}", most - 1));
    out.push_back(static_cast<model::TokenId>(id.get_int64()));
  }
  return out;
}

// How the answer is to be read, by the template and by what the prompt ends with.
jinja::ReplyForm reply_form(const ToolChoice& tools, const std::string& chat_template,
                            std::string_view prompt) {
  using Calls = jinja::ReplyForm::Calls;
  jinja::ReplyForm out;
  out.family = jinja::reply_family(chat_template);
  out.functions = tools.functions;
  out.function = tools.named;
  switch (tools.mode) {
    case ToolChoice::Mode::none:
      break;
    case ToolChoice::Mode::free:
      out.calls = Calls::as_family;
      break;
    case ToolChoice::Mode::one_of:
      out.calls = Calls::one_object;
      return out;
    case ToolChoice::Mode::named:
      out.calls = Calls::arguments_only;
      return out;
  }
  out.thinks = jinja::thinks_aloud(chat_template);
  while (!prompt.empty() && (prompt.back() == ' ' || prompt.back() == '\n')) prompt.remove_suffix(1);
  out.within_thought = out.thinks && prompt.ends_with("<think>");
  return out;
}

Result<std::string> render(const json::object& body, const model::TextGenerator& generator, WallTime now,
                           CompletionCall& call) {
  TRY(ToolChoice tools, read_tool_choice(body));
  TRY(std::string text, render_conversation(body, tools, generator, now));
  call.reply = reply_form(tools, generator.chat_template(), text);
  if (tools.mode == ToolChoice::Mode::free && call.reply.family == jinja::ReplyFamily::plain)
    return fail(Reason::not_offered,
                "'tools' are called in a way that is not known here: set 'tool_choice' to required");
  if (tools.grammar != nullptr && call.grammar != nullptr)
    return wrong("tool_choice", "that must be followed and another structure exclude each other");
  if (tools.grammar != nullptr) call.grammar = std::move(tools.grammar);
  call.one_call = tools.one_call;
  if (call.grammar != nullptr) call.reply.thinks = call.reply.within_thought = false;
  return text;
}

Status read_prompt(const json::object& body, const model::TextGenerator& generator, WallTime now,
                   CompletionCall& call) {
  token::EncodeOptions options;
  std::string text;
  const json::value* prompt = body.if_contains("prompt");
  if (const json::value* messages = body.if_contains("messages"); messages != nullptr) {
    if (prompt != nullptr) return wrong("prompt", "and 'messages' exclude each other");
    TRY(text, render(body, generator, now, call));
    options.special = token::SpecialTokens::leave_out;
  } else if (prompt != nullptr && prompt->is_array()) {
    TRY(call.prompt, ids_of(prompt->get_array(), generator));
    if (call.echo) {
      TRY(call.echo, generator.tokenizer().decode(call.prompt, token::Tokenizer::SpecialsInOutput::keep));
    }
  } else {
    TRY(const std::string_view given, codec::json_text(body, "prompt"));
    text = given;
    if (call.echo) call.echo = text;
  }
  if (call.prompt.empty()) {
    TRY(const token::Encoding encoding,
        generator.tokenizer().encode({.text = text, .words = {}, .pair = {}}, options));
    call.prompt.assign(encoding.ids.begin(), encoding.ids.end());
  }
  TRY(const auto last, codec::json_integer_if(body, "truncate_prompt_tokens"));
  if (last && *last < 1) return wrong("truncate_prompt_tokens", "is 1 or more");
  if (last && call.prompt.size() > static_cast<size_t>(*last))
    call.prompt.erase(call.prompt.begin(), call.prompt.end() - *last);
  if (call.prompt.empty()) return fail(Reason::tokenization_failed, "the prompt has no tokens");
  return Done{};
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
  TRY(const auto temperature, number_in(body, "temperature", 0, temperature_most));
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
  TRY(const auto typical, number_in(body, "typical_p", 0, 1));
  if (typical) settings.typical_p = *typical;
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
  if (room == 0 || call.prompt.size() > generator.tokens_max())
    return fail(Reason::input_too_long,
                fmt::format("the prompt has {} tokens, the model takes {} with its answer",
                            call.prompt.size(), generator.tokens_max()));
  TRY(auto most, codec::json_integer_if(body, "max_completion_tokens"));
  if (!most) {
    TRY(most, codec::json_integer_if(body, "max_tokens"));
  }
  const bool looks_only = most && *most == 0 && (call.echo || call.with_prompt);
  if (most && *most < 1 && !looks_only) return wrong("max_tokens", "is 1 or more");
  call.writes = !looks_only;
  call.settings.length_max.reset();
  TRY(const auto least, codec::json_integer_if(body, "min_tokens"));
  if (least && *least > 0) call.settings.new_tokens_min = static_cast<size_t>(*least);
  TRY(const auto goes_on, codec::json_flag_if(body, "ignore_eos"));
  if (goes_on.value_or(false)) call.settings.end_tokens.clear();
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
  if (top && *top > 0 && (wanted == nullptr || !wanted->is_bool() || !wanted->get_bool()))
    return wrong("top_logprobs", "is only allowed when 'logprobs' is true");
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

// What of its making an answer shows: keys that doors set.
Status read_details(const json::object& body, CompletionCall& call) {
  TRY_DONE(read_log_probabilities(body, call));
  TRY(const auto tokens, codec::json_flag_if(body, "with_tokens"));
  TRY(const auto prompt, codec::json_flag_if(body, "with_prompt"));
  TRY(const auto echo, codec::json_flag_if(body, "echo"));
  call.with_tokens = tokens.value_or(call.alternatives.has_value());
  if (call.with_tokens && !call.alternatives) call.alternatives = 0;
  if (echo.value_or(false)) call.echo = "";
  call.with_prompt = prompt.value_or(echo.value_or(false) && call.alternatives);
  return Done{};
}

// One of several texts, as a grammar: "a" | "b".
Result<model::structured::Grammar> grammar_of_choice(const json::value& choice) {
  constexpr size_t choices_most = 1024;
  const Error bad = wrong("guided_choice", "is a list of texts, none empty");
  if (!choice.is_array() || choice.get_array().empty() || choice.get_array().size() > choices_most)
    return bad;
  std::string grammar = "root ::= ";
  for (const json::value& one : choice.get_array()) {
    if (!one.is_string() || one.get_string().empty()) return bad;
    if (&one != &choice.get_array().front()) grammar += " | ";
    grammar += '"';
    for (const char character : one.get_string()) {
      if (character == '"' || character == '\\') grammar += '\\';
      if (character == '\n')
        grammar += "\\n";
      else if (character == '\r')
        grammar += "\\r";
      else
        grammar += character;
    }
    grammar += '"';
  }
  return model::structured::grammar_of_gbnf(grammar);
}

Status read_structure(const json::object& body, CompletionCall& call) {
  const auto bind = [&](Result<model::structured::Grammar> grammar) -> Status {
    TRY(model::structured::Grammar made, std::move(grammar));
    call.grammar = std::make_shared<const model::structured::Grammar>(std::move(made));
    return Done{};
  };
  // vLLM's newer form has the older ones' keys without their first word.
  TRY(const json::object* outputs, codec::json_object_if(body, "structured_outputs"));
  const auto given = [&](std::string_view guided, std::string_view newer) -> const json::value* {
    for (const auto& [object, key] : {std::pair(&body, guided), std::pair(outputs, newer)})
      if (const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
          value != nullptr && !value->is_null())
        return value;
    return nullptr;
  };
  if (const json::value* regex = given("guided_regex", "regex")) {
    if (!regex->is_string()) return wrong("guided_regex", "is an expression");
    return bind(model::structured::grammar_of_regex(regex->get_string()));
  }
  for (const char* key : {"guided_grammar", "grammar"})  // The second is llama.cpp's.
    if (const json::value* grammar = given(key, "grammar")) {
      if (!grammar->is_string()) return wrong(key, "is a grammar's text");
      if (!grammar->get_string().empty())
        return bind(model::structured::grammar_of_gbnf(grammar->get_string()));
    }
  if (const json::value* schema = given("guided_json", "json"))
    return bind(model::structured::grammar_of_schema(*schema));
  if (const json::value* choice = given("guided_choice", "choice")) return bind(grammar_of_choice(*choice));
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
  CompletionCall call;
  call.settings = generator.model().generation();
  call.settings.beams = call.settings.returned = 1;
  TRY_DONE(read_sampling(body, call));
  TRY_DONE(read_details(body, call));
  TRY_DONE(read_structure(body, call));
  TRY_DONE(read_prompt(body, generator, now, call));
  TRY_DONE(read_limits(body, generator, call));
  return call;
}

}  // namespace holdfast::cli
