#include "api/stream_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr int depth_max = 10;
constexpr std::string_view said_keys[] = {
    "content",   "text",     "generated_text", "summary_text", "translation_text", "reasoning_content",
    "reasoning", "thinking", "answer",         "arguments",    "refusal",          "text_output",
    "data",      "sequence", "delta",          "transcript",   "partial_json"};
constexpr std::string_view numbered[] = {"choices", "tool_calls"};
constexpr std::string_view token_lists[] = {"tokens", "completion_probabilities"};

bool among(const auto& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

std::optional<int64_t> number_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

// A token with its likelihood; its bytes are told where they are no whole characters.
std::optional<std::string> token_text(const json::object& object) {
  const json::value* token = object.if_contains("token");
  if (token == nullptr || !token->is_string() || !object.contains("logprob")) return std::nullopt;
  const json::value* bytes = object.if_contains("bytes");
  if (bytes == nullptr || !bytes->is_array()) return std::string(token->get_string());
  std::string out;
  for (const json::value& byte : bytes->get_array())
    if (byte.is_int64()) out += static_cast<char>(byte.get_int64() & 0xFF);
  return out;
}

class Walk {
 public:
  Walk(EventTexts& out, bool all_whole) : out_(out), all_whole_(all_whole) {}

  void look(const json::value& value, const std::string& place, bool said, int depth = 0) {
    if (depth > depth_max) return;
    if (value.is_string()) {
      if (said) add(place, std::string(value.get_string()));
    } else if (value.is_array()) {
      size_t at = 0;
      for (const json::value& one : value.get_array()) {
        const bool counts = one.is_object() && among(numbered, place.substr(place.rfind('/') + 1));
        const int64_t number = counts
                                   ? number_of(one.get_object(), "index").value_or(static_cast<int64_t>(at))
                                   : static_cast<int64_t>(at);
        ++at;
        look(one,
             one.is_object() && token_text(one.get_object()) ? place : fmt::format("{}/{}", place, number),
             said, depth + 1);
      }
    } else if (value.is_object()) {
      const json::object& object = value.get_object();
      if (const auto token = token_text(object)) {
        add(place + "/tokens", *token);
        return;
      }
      for (const auto& [key, member] : object) look_at(key, member, place, depth);
    }
  }

  bool tokens = false;  // There are some beside the texts.

 private:
  void look_at(std::string_view key, const json::value& member, const std::string& place, int depth) {
    const std::string inner = fmt::format("{}/{}", place, key);
    if (key == "top_tokens") return;  // The others that were likely are no part of the answer.
    if (key == "logprobs" && ((member.is_object() && !member.get_object().empty()) ||
                              (member.is_array() && !member.get_array().empty())))
      tokens = true;
    if (key == "token" && member.is_object()) tokens = true;
    if (among(token_lists, key) && member.is_array() && !member.get_array().empty()) {
      tokens = true;
      for (const json::value& token : member.get_array())
        if (token.is_string()) add(inner, std::string(token.get_string()));
    }
    look(member, inner, among(said_keys, key), depth + 1);
  }

  void add(const std::string& place, std::string text) {
    if (text.empty()) return;
    const bool whole = all_whole_ || place.ends_with("/generated_text");
    (whole ? out_.wholes : out_.grown).push_back({place, std::move(text)});
  }

  EventTexts& out_;
  const bool all_whole_;
};

}  // namespace

std::vector<std::string> take_events(std::string& bytes) {
  std::vector<std::string> out;
  size_t begin = 0;
  while (true) {
    const size_t plain = bytes.find("\n\n", begin), dos = bytes.find("\r\n\r\n", begin);
    if (plain == std::string::npos && dos == std::string::npos) break;
    const size_t end = plain < dos ? plain + 2 : dos + 4;
    out.push_back(bytes.substr(begin, end - begin));
    begin = end;
  }
  bytes.erase(0, begin);
  return out;
}

std::string event_data(std::string_view event) {
  std::string out;
  bool first = true;
  while (!event.empty()) {
    std::string_view line = event.substr(0, event.find('\n'));
    event.remove_prefix(std::min(line.size() + 1, event.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (!first) out += '\n';
    first = false;
    out += line;
  }
  return out;
}

EventTexts texts_of_event(std::string_view data) {
  EventTexts out;
  if (data.empty() || data == "[DONE]") return out;
  const auto parsed = codec::parse_json(data);
  if (!parsed.ok() || !parsed.value().is_object()) {
    out.grown.push_back({"", std::string(data)});  // Some text of its own.
    return out;
  }
  const json::object& object = parsed.value().get_object();
  const json::value* type = object.if_contains("type");
  const bool of_responses =
      type != nullptr && type->is_string() && type->get_string().starts_with("response.");
  std::string place;
  // A prompt's or a block's number; text-generation-inference counts its tokens by that name.
  if (const auto index = number_of(object, "index"); index && !object.contains("token"))
    place = fmt::format("{}", *index);
  for (const char* key : {"output_index", "content_index", "summary_index"})
    if (const auto index = number_of(object, key)) place += fmt::format("{}{}", key[0], *index);
  Walk walk(out, of_responses && !type->get_string().ends_with(".delta"));
  walk.look(parsed.value(), place, false);
  out.runs_ahead = walk.tokens && std::none_of(out.grown.begin(), out.grown.end(), [](const auto& part) {
                     return part.place.find("/tokens") == std::string::npos &&
                            part.place.find("/completion_probabilities") == std::string::npos;
                   });
  return out;
}

}  // namespace holdfast::api
