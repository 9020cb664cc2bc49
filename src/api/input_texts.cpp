#include "api/input_texts.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace holdfast::api {
namespace {

namespace json = boost::json;
using serve::TextPlace;
using Texts = std::vector<std::pair<std::string_view, TextPlace>>;

constexpr int depth_max = 4;
constexpr std::string_view held[] = {"text",      "text_pair",    "question", "context",   "source_sentence",
                                     "sentences", "query",        "texts",    "documents", "content",
                                     "inputs",    "prompt_string"};
constexpr std::string_view other_roles[] = {"system", "developer", "assistant"};

void add(const json::value& value, TextPlace place, int depth, Texts& out) {
  if (out.size() >= input_texts_max || depth > depth_max) return;
  if (value.is_string()) {
    out.emplace_back(std::string_view(value.get_string()), place);
  } else if (value.is_array()) {
    for (const json::value& one : value.get_array()) add(one, place, depth + 1, out);
  } else if (value.is_object()) {
    const json::value* role = value.get_object().if_contains("role");
    if (role != nullptr && role->is_string() &&
        std::find(std::begin(other_roles), std::end(other_roles), std::string_view(role->get_string())) !=
            std::end(other_roles))
      return;
    for (const std::string_view key : held)
      if (const json::value* inner = value.get_object().if_contains(key); inner != nullptr)
        add(*inner, place, depth + 1, out);
  }
}

}  // namespace

Texts input_texts(const json::object& body) {
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
                                     {"input_suffix", TextPlace::whole_prompt}};
  Texts out;
  for (const Place& one : places)
    if (const json::value* value = body.if_contains(one.key); value != nullptr)
      add(*value, one.place, 0, out);
  return out;
}

}  // namespace holdfast::api
