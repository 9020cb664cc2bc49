#include "cli/continuation.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/conversation.h"
#include "codec/json.h"
#include "model/generation/generate.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr size_t texts_most = 256, stops_most = 16, new_tokens_usual = 256;
constexpr std::string_view not_offered[] = {"details",      "grammar", "stream",         "best_of",
                                            "top_n_tokens", "prefix",  "return_tensors", "adapter_id",
                                            "tools",        "truncate"};

struct Order {
  model::GenerationSettings settings;
  std::vector<std::string> stops;
  bool whole = true;  // The text that was given comes back too.
};

bool is_conversation(const json::value& input) {
  if (!input.is_array() || input.get_array().empty()) return false;
  const json::value& first = input.get_array().front();
  return first.is_object() && first.get_object().contains("role");
}

Status add_stop(const json::value& text, std::vector<std::string>& into) {
  if (!text.is_string() || text.get_string().empty() || into.size() == stops_most)
    return fail(Reason::bad_request, fmt::format("'stop' is a text or a list of at most {}", stops_most));
  into.emplace_back(text.get_string());
  return Done{};
}

Result<Order> read_order(const json::object& parameters, const model::TextGenerator& generator) {
  Order out;
  for (const std::string_view key : not_offered)
    if (const json::value* said = parameters.if_contains(key); said != nullptr && !said->is_null())
      return fail(Reason::not_offered, fmt::format("'{}' is not offered here", key));
  json::object said;
  for (const auto& [key, value] : parameters)
    if (!value.is_null()) said[key] = value;
  TRY(out.settings, model::parse_generation_settings(said, generator.model().generation()));
  TRY(const auto whole, codec::json_flag_if(said, "return_full_text"));
  out.whole = whole.value_or(true);
  for (const char* key : {"stop", "stop_sequences", "stop_strings"}) {
    const json::value* stop = said.if_contains(key);
    if (stop == nullptr) continue;
    if (!stop->is_array()) {
      TRY_DONE(add_stop(*stop, out.stops));
      continue;
    }
    for (const json::value& each : stop->get_array()) TRY_DONE(add_stop(each, out.stops));
  }
  if (!out.stops.empty() && out.settings.beams > 1)
    return fail(Reason::bad_request, "'stop' is not for beam search");
  return out;
}

// The conversation as the model's template writes it; its last message goes on where it is an assistant's.
Result<std::string> render(const json::array& messages, bool goes_on, const model::TextGenerator& generator,
                           WallTime now) {
  if (generator.chat_template().empty())
    return fail(Reason::model_unsupported, "the model has no chat template: give it a text");
  return write_prompt(
      {{"messages", messages}, {"add_generation_prompt", !goes_on}, {"continue_final_message", goes_on}},
      generator, now);
}

// `text` without as many characters at its beginning as `prompt` has: transformers cuts by count.
std::string_view without(std::string_view text, std::string_view prompt) {
  const auto begins = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
  size_t characters = 0;
  for (const char byte : prompt) characters += begins(byte) ? 1 : 0;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (begins(text[at]) && characters-- == 0) break;
  }
  return text.substr(at);
}

class Continuation {
 public:
  Continuation(const model::TextGenerator& generator, Order order, tensor::Threads& threads, WallTime now)
      : generator_(generator), order_(std::move(order)), threads_(threads), now_(now) {}

  Result<json::value> of(const json::value& input) const {
    if (input.is_string())
      return written(
          input.get_string(), token::SpecialTokens::add, [&](std::string_view more) -> json::value {
            return json::string(order_.whole ? std::string(input.get_string()).append(more) : more);
          });
    if (!is_conversation(input))
      return fail(Reason::bad_request, "inputs are a text, a conversation, or a list of either");
    const json::array& messages = input.get_array();
    const json::value* last =
        messages.back().is_object() ? messages.back().get_object().if_contains("role") : nullptr;
    const bool goes_on = last != nullptr && last->is_string() && last->get_string() == "assistant";
    TRY(const std::string prompt, render(messages, goes_on, generator_, now_));
    return written(prompt, token::SpecialTokens::leave_out, [&](std::string_view more) -> json::value {
      if (!order_.whole) return json::string(more);
      json::array out = messages;
      if (!goes_on) {
        out.push_back(json::object{{"role", "assistant"}, {"content", more}});
      } else if (json::value& content = out.back().get_object()["content"]; content.is_string()) {
        content.get_string().append(more);
      } else {
        content = json::string(more);
      }
      return out;
    });
  }

 private:
  template <class Shown>
  Result<json::value> written(std::string_view prompt, token::SpecialTokens special, Shown shown) const {
    const token::Tokenizer& tokenizer = generator_.tokenizer();
    token::EncodeOptions options;
    options.special = special;
    TRY(const token::Encoding encoding, tokenizer.encode({.text = prompt, .words = {}, .pair = {}}, options));
    if (encoding.ids.empty()) return fail(Reason::tokenization_failed, "the text has no tokens");
    if (encoding.ids.size() >= generator_.tokens_max())
      return fail(Reason::input_too_long,
                  fmt::format("the input has {} tokens, the model takes {} with its answer",
                              encoding.ids.size(), generator_.tokens_max()));
    const model::Prompt row{.tokens = {encoding.ids.begin(), encoding.ids.end()}, .padding = 0};
    const auto skip = token::Tokenizer::SpecialsInOutput::skip;
    TRY(const std::string begin, tokenizer.decode(row.tokens, skip));
    TRY(const model::Generated made, generated(row));
    json::array out;
    for (const std::vector<model::TokenId>& sequence : made.sequences) {
      TRY(const std::string text, tokenizer.decode(sequence, skip));
      out.push_back(json::object{{"generated_text", shown(without(text, begin))}});
    }
    return json::value(std::move(out));
  }

  Result<model::Generated> generated(const model::Prompt& row) const {
    model::GenerationSettings settings = order_.settings;
    const size_t room = generator_.tokens_max() - row.tokens.size();
    if (!settings.new_tokens_max && !settings.length_max) settings.new_tokens_max = new_tokens_usual;
    if (settings.new_tokens_max) settings.new_tokens_max = std::min(*settings.new_tokens_max, room);
    std::vector<std::vector<model::TokenId>> written(std::max<size_t>(settings.returned, 1));
    const auto stopped = [&](size_t at, model::TokenId token) {
      written[at].push_back(token);
      const auto text = generator_.tokenizer().decode(written[at], token::Tokenizer::SpecialsInOutput::skip);
      for (const std::string& stop : order_.stops)
        if (text.ok() && text.value().find(stop) != std::string::npos) return false;
      return true;
    };
    model::DecoderRows rows(generator_.model(), threads_, generator_.adapter());
    if (order_.stops.empty()) return generate(rows, {&row, 1}, settings);
    return generate(rows, {&row, 1}, settings, {}, stopped);
  }

  const model::TextGenerator& generator_;
  const Order order_;
  tensor::Threads& threads_;
  const WallTime now_;
};

}  // namespace

Result<json::value> continue_text(const model::TextGenerator& generator, const json::value& inputs,
                                  const json::object& parameters, tensor::Threads& threads, WallTime now) {
  TRY(Order order, read_order(parameters, generator));
  const Continuation continuation(generator, std::move(order), threads, now);
  if (!inputs.is_array() || is_conversation(inputs)) return continuation.of(inputs);
  if (inputs.get_array().size() > texts_most)
    return fail(Reason::bad_request, fmt::format("at most {} texts a call", texts_most));
  json::array out;
  for (const json::value& each : inputs.get_array()) {
    TRY(json::value answer, continuation.of(each));
    out.push_back(std::move(answer));
  }
  return json::value(std::move(out));
}

}  // namespace holdfast::cli
