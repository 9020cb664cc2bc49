#include "observe/input_features.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstring>

#include "codec/hmac.h"
#include "codec/json.h"
#include "govern/prediction.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;

// Letters and digits make words, whatever alphabet: every byte above ASCII belongs to one.
bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

uint64_t digest_of(const Secret& key, std::string_view word) {
  const auto digest = codec::hmac_sha256(as_bytes(key.reveal()), as_bytes(word));
  uint64_t out = 0;
  std::memcpy(&out, digest.data(), sizeof(out));
  return out;
}

InputFeatures features(std::string_view text, const Secret& key) {
  InputFeatures out;
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  for (const char c : lower) out.characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  for (size_t at = 0; at < lower.size() && out.words.size() < words_max;) {
    const size_t end = static_cast<size_t>(
        std::find_if_not(lower.begin() + static_cast<std::ptrdiff_t>(at), lower.end(), in_word) -
        lower.begin());
    if (end > at) out.words.push_back(digest_of(key, std::string_view(lower).substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

const json::string* text_of(const json::value& value) {
  if (value.is_string()) return &value.get_string();
  if (value.is_array() && !value.get_array().empty() && value.get_array().size() <= 2)
    return value.get_array()[0].if_string();  // TEI's [text] and [text, pair].
  if (!value.is_object()) return nullptr;
  const json::value* text = value.get_object().if_contains("text");
  return text != nullptr && text->is_string() ? &text->get_string() : nullptr;
}

}  // namespace

std::vector<InputFeatures> features_of(std::string_view body, std::string_view answer, const Secret& key) {
  std::vector<InputFeatures> out;
  const auto parsed = codec::parse_json_object(body);
  if (!parsed.ok()) return out;
  const json::value* inputs = parsed.value().if_contains("inputs");
  if (inputs == nullptr) inputs = parsed.value().if_contains("input");
  if (inputs == nullptr) return out;
  const json::array alone{*inputs};
  for (const json::value& value : inputs->is_array() ? inputs->get_array() : alone) {
    const json::string* text = text_of(value);
    if (text == nullptr) return {};  // Ids, audio: nothing to compare by.
    if (out.size() < inputs_max) out.push_back(features(*text, key));
  }
  const auto predictions = govern::predictions_of(answer);
  for (size_t i = 0; i < std::min(out.size(), predictions.size()); ++i) {
    out[i].label = predictions[i].label;
    out[i].confidence = predictions[i].score;
  }
  return out;
}

namespace {

// A chat's turn: a text, or parts of which some have one.
const json::string* said_in(const json::value& turn) {
  const json::value* content = turn.is_object() ? turn.get_object().if_contains("content") : nullptr;
  if (content == nullptr) return nullptr;
  if (content->is_string()) return &content->get_string();
  if (!content->is_array()) return nullptr;
  for (const json::value& part : content->get_array())
    if (const json::string* text = text_of(part)) return text;
  return nullptr;
}

bool is_users(const json::value& turn) {
  const json::value* role = turn.is_object() ? turn.get_object().if_contains("role") : nullptr;
  return role != nullptr && role->is_string() && role->get_string() == "user";
}

const json::string* asked_in(const json::object& body) {
  for (const char* key : {"inputs", "input", "prompt"}) {
    const json::value* value = body.if_contains(key);
    if (value == nullptr) continue;
    if (!value->is_array()) return text_of(*value);
    const json::array& list = value->get_array();
    if (!list.empty() && is_users(list[0])) return said_in(list.back());
    return list.empty() ? nullptr : text_of(list[0]);
  }
  const json::value* turns = body.if_contains("messages");
  if (turns == nullptr || !turns->is_array()) return nullptr;
  const json::array& list = turns->get_array();
  for (size_t i = list.size(); i > 0; --i)
    if (is_users(list[i - 1])) return said_in(list[i - 1]);
  return nullptr;
}

}  // namespace

std::string text_of_body(std::string_view body, size_t bytes_max) {
  const auto parsed = codec::parse_json_object(body);
  if (!parsed.ok()) return {};
  const json::string* text = asked_in(parsed.value());
  if (text == nullptr) return {};
  std::string out(std::string_view(*text).substr(0, bytes_max));
  while (!out.empty() && out.size() < text->size() &&
         (static_cast<unsigned char>((*text)[out.size()]) & 0xC0) == 0x80)
    out.pop_back();
  return out;
}

}  // namespace holdfast::observe
