#include "jinja/to_json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "jinja/characters.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

void append_escape(std::string& out, uint32_t unit) {
  char escape[8];
  std::snprintf(escape, sizeof(escape), "\\u%04x", unit);
  out += escape;
}

std::string json_string(std::string_view text, bool ascii_only) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, character_bytes(text.substr(at)));
    at += character.size();
    const char32_t code = code_point(character);
    switch (code) {
      case '"':
        out += "\\\"";
        continue;
      case '\\':
        out += "\\\\";
        continue;
      case '\n':
        out += "\\n";
        continue;
      case '\r':
        out += "\\r";
        continue;
      case '\t':
        out += "\\t";
        continue;
      case '\b':
        out += "\\b";
        continue;
      case '\f':
        out += "\\f";
        continue;
      default:
        break;
    }
    if (code < 0x20 || (ascii_only && code >= 0x7f && code < 0x10000)) {
      append_escape(out, code);
    } else if (ascii_only && code >= 0x10000) {
      append_escape(out, 0xd800 + ((code - 0x10000) >> 10));
      append_escape(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      out += character;
    }
  }
  return out += '"';
}

std::string json_real(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return float_text(number);
}

class Writer {
 public:
  Writer(Runtime& runtime, const JsonStyle& style) : runtime_(runtime), style_(style) {}
  std::string take() { return std::move(out_); }

  Status write(const Value& value) {
    TRY_DONE(runtime_.budget.steps(1));
    switch (value.kind()) {
      case Kind::none:
        return put("null");
      case Kind::boolean:
        return put(value.flag() ? "true" : "false");
      case Kind::integer:
        return put(integer_text(value.whole()));
      case Kind::real:
        return put(json_real(value.number()));
      case Kind::text:
        return put(json_string(value.string(), style_.ascii_only));
      case Kind::list:
      case Kind::tuple:
        return array(value.items());
      case Kind::dict:
        return object(value.as_dict());
      case Kind::undefined:
      case Kind::range:
      case Kind::view:
      case Kind::iterator:
      case Kind::name_space:
      case Kind::function:
      case Kind::loop:
        break;
    }
    return type_error("Object of type " + type_name(value) + " is not JSON serializable");
  }

 private:
  Status put(std::string_view text) {
    TRY_DONE(runtime_.budget.made(text.size()));
    out_ += text;
    return Done{};
  }
  Status new_line() {
    if (!style_.indent) return Done{};
    TRY_DONE(put("\n"));
    for (size_t i = 0; i < level_; ++i) TRY_DONE(put(*style_.indent));
    return Done{};
  }

  Status array(const Items& items) {
    if (items.empty()) return put("[]");
    TRY_DONE(put("["));
    ++level_;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) TRY_DONE(put(style_.item_separator));
      TRY_DONE(new_line());
      TRY_DONE(write(items[i]));
    }
    --level_;
    TRY_DONE(new_line());
    return put("]");
  }

  Status object(const DictObject& dict) {
    if (dict.pairs.empty()) return put("{}");
    std::vector<const std::pair<Value, Value>*> pairs;
    for (const auto& pair : dict.pairs) pairs.push_back(&pair);
    if (style_.sort_keys) TRY_DONE(sort(pairs));
    TRY_DONE(put("{"));
    ++level_;
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (i > 0) TRY_DONE(put(style_.item_separator));
      TRY_DONE(new_line());
      TRY(const std::string key, key_text(pairs[i]->first));
      TRY_DONE(put(json_string(key, style_.ascii_only) + style_.key_separator));
      TRY_DONE(write(pairs[i]->second));
    }
    --level_;
    TRY_DONE(new_line());
    return put("}");
  }

  Status sort(std::vector<const std::pair<Value, Value>*>& pairs) {
    Status failed = Done{};
    std::stable_sort(pairs.begin(), pairs.end(), [&](const auto* a, const auto* b) {
      auto before = less(runtime_, a->first, b->first);
      if (!before.ok()) failed = std::move(before).error();
      return before.ok() && before.value();
    });
    return failed;
  }

  static Result<std::string> key_text(const Value& key) {
    if (key.is(Kind::text)) return key.string();
    if (key.is(Kind::none)) return std::string("null");
    if (key.is(Kind::boolean)) return std::string(key.flag() ? "true" : "false");
    if (key.is(Kind::integer)) return integer_text(key.whole());
    if (key.is(Kind::real)) return json_real(key.number());
    return type_error("keys must be str, int, float, bool or None, not " + type_name(key));
  }

  Runtime& runtime_;
  const JsonStyle& style_;
  std::string out_;
  size_t level_ = 0;
};

}  // namespace

Result<std::string> to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
  Writer writer(runtime, style);
  TRY_DONE(writer.write(value));
  return writer.take();
}

}  // namespace holdfast::jinja
