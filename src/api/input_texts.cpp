#include "api/input_texts.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <initializer_list>

#include "api/task_body.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using serve::TextPlace;
using Texts = std::vector<std::pair<std::string_view, TextPlace>>;

constexpr int depth_max = 4;
constexpr std::string_view held[] = {"text",      "text_pair",     "question", "context",   "source_sentence",
                                     "sentences", "query",         "texts",    "documents", "content",
                                     "inputs",    "prompt_string", "data"};
constexpr std::string_view other_roles[] = {"system", "developer", "assistant"};

void add(const json::value& value, TextPlace place, Voices voices, int depth, Texts& out) {
  if (out.size() >= input_texts_max || depth > depth_max) return;
  if (value.is_string()) {
    out.emplace_back(std::string_view(value.get_string()), place);
  } else if (value.is_array()) {
    for (const json::value& one : value.get_array()) add(one, place, voices, depth + 1, out);
  } else if (value.is_object()) {
    const json::value* role = value.get_object().if_contains("role");
    if (voices == Voices::users && role != nullptr && role->is_string() &&
        std::find(std::begin(other_roles), std::end(other_roles), std::string_view(role->get_string())) !=
            std::end(other_roles))
      return;
    for (const std::string_view key : held)
      if (const json::value* inner = value.get_object().if_contains(key); inner != nullptr)
        add(*inner, place, voices, depth + 1, out);
  }
}

constexpr int answer_depth_max = 10;
constexpr std::string_view said_keys[] = {"content",
                                          "text",
                                          "generated_text",
                                          "summary_text",
                                          "translation_text",
                                          "reasoning_content",
                                          "answer",
                                          "arguments",
                                          "refusal",
                                          "text_output",
                                          "data",
                                          "sequence"};

// `said`: the value of one of those members.
void add_said(const json::value& value, bool said, int depth, std::vector<std::string_view>& out) {
  if (out.size() >= input_texts_max || depth > answer_depth_max) return;
  if (value.is_string()) {
    if (said) out.emplace_back(value.get_string());
  } else if (value.is_array()) {
    for (const json::value& one : value.get_array()) add_said(one, said, depth + 1, out);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.get_object())
      add_said(
          member,
          std::find(std::begin(said_keys), std::end(said_keys), std::string_view(key)) != std::end(said_keys),
          depth + 1, out);
  }
}

}  // namespace

Texts input_texts(const json::object& body, Voices voices) {
  struct Place {
    const char* key;
    TextPlace place;
  };
  static constexpr Place places[] = {{"messages", TextPlace::turn},
                                     {"input", TextPlace::turn},
                                     {"inputs", TextPlace::whole_prompt},
                                     {"prompt", TextPlace::whole_prompt},
                                     {"suffix", TextPlace::whole_prompt},
                                     {"query", TextPlace::turn},
                                     {"texts", TextPlace::turn},
                                     {"documents", TextPlace::turn},
                                     {"content", TextPlace::turn},
                                     {"text_input", TextPlace::whole_prompt},
                                     {"input_prefix", TextPlace::whole_prompt},
                                     {"input_suffix", TextPlace::whole_prompt},
                                     {"instances", TextPlace::whole_prompt}};
  Texts out;
  for (const Place& one : places)
    if (const json::value* value = body.if_contains(one.key); value != nullptr)
      add(*value, one.place, voices, 0, out);
  return out;
}

namespace {

// Whether `found` holds of a value that is asked something of: the members of these names, and those of each
// of Vertex AI's instances, which are bodies of their own or inputs alone.
template <class Found>
bool any_asked(const json::object& body, std::initializer_list<std::string_view> names, Found found) {
  for (const std::string_view name : names)
    if (const json::value* value = body.if_contains(name); value != nullptr && found(*value)) return true;
  const json::value* instances = body.if_contains("instances");
  if (instances == nullptr || !instances->is_array()) return false;
  const json::array& list = instances->get_array();
  return std::any_of(list.begin(), list.end(), [&](const json::value& one) {
    const json::value* inputs = one.is_object() ? one.get_object().if_contains("inputs") : &one;
    return inputs != nullptr && found(*inputs);
  });
}

bool is_in_tokens(const json::value& asked) {
  const json::value* value = &asked;
  for (int depth = 0; value != nullptr && value->is_array() && depth < 2; ++depth) {
    const json::array& list = value->get_array();
    if (std::any_of(list.begin(), list.end(), [](const json::value& one) { return one.is_number(); }))
      return true;
    const auto inner =
        std::find_if(list.begin(), list.end(), [](const json::value& one) { return one.is_array(); });
    value = inner == list.end() ? nullptr : inner;
  }
  return false;
}

bool is_on_files(const json::value& asked) {
  if (asked.is_string()) return holds_file(asked.get_string());
  if (!asked.is_array()) return false;
  const json::array& list = asked.get_array();
  return std::any_of(list.begin(), list.end(),
                     [](const json::value& one) { return one.is_string() && holds_file(one.get_string()); });
}

}  // namespace

bool has_file(const json::object& body) { return any_asked(body, {"inputs"}, is_on_files); }

bool has_token_ids(const json::object& body) {
  return any_asked(body, {"prompt", "input", "inputs"}, is_in_tokens);
}

std::vector<std::string_view> output_texts(const json::value& answer) {
  std::vector<std::string_view> out;
  add_said(answer, false, 0, out);
  return out;
}

}  // namespace holdfast::api
