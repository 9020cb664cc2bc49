#include "jinja/markup.h"

#include <algorithm>
#include <array>

#include "jinja/bound_arguments.h"
#include "jinja/iterate.h"
#include "jinja/python_text.h"
#include "jinja/split.h"

namespace holdfast::jinja {
namespace {

// The five entities that escaping makes, and the other spelling of the quote.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> entities = {
    {{"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}}};

Result<std::string> unescaped(Runtime& runtime, std::string text) {
  for (const auto& [entity, character] : entities) {
    TRY(text, replaced(runtime, text, entity, character, -1));
  }
  return text;
}

// Without comments and tags; what is not closed stays.
std::string without_tags(std::string_view text) {
  std::string out;
  size_t kept = 0;
  for (size_t at = 0; (at = text.find('<', kept)) != std::string_view::npos;) {
    const bool comment = text.substr(at).starts_with("<!--");
    const size_t end = comment ? text.find("-->", at + 4) : text.find('>', at);
    if (end == std::string_view::npos) break;
    out += text.substr(kept, at - kept);
    kept = end + (comment ? 3 : 1);
  }
  return out += text.substr(kept);
}

Result<Value> strip_tags(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("striptags", std::move(arguments), {}, 0));
  return text_without_tags(runtime, self.string());
}

Result<Value> unescape(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("unescape", std::move(arguments), {}, 0));
  TRY(std::string text, unescaped(runtime, self.string()));
  return made_text(runtime, std::move(text));
}

Result<Value> escape(Runtime& runtime, const Value&, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind("escape", std::move(arguments), {"s"}, 1));
  return escaped(runtime, given.at(0));
}

Result<Value> join(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("join", std::move(arguments), 1, 1));
  if (!iterable(given.at(0))) return type_error("can only join an iterable");
  TRY(const Items items, collect(runtime, given.at(0)));
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    TRY(const Value item, escaped(runtime, items[i]));
    TRY_DONE(runtime.budget.made(item.string().size() + self.string().size()));
    if (i > 0) out += self.string();
    out += item.string();
  }
  return Value::markup(std::move(out));
}

// A method of str whose argument at `place` is escaped before it is called, and whose texts become Markup.
constexpr size_t none_escaped = SIZE_MAX;
struct OfText {
  std::string_view name;
  size_t escaped_place;
};
constexpr OfText of_text[] = {{"capitalize", none_escaped},
                              {"casefold", none_escaped},
                              {"center", 1},
                              {"expandtabs", none_escaped},
                              {"ljust", 1},
                              {"lower", none_escaped},
                              {"lstrip", none_escaped},
                              {"partition", none_escaped},
                              {"removeprefix", none_escaped},
                              {"removesuffix", none_escaped},
                              {"replace", 1},
                              {"rjust", 1},
                              {"rpartition", none_escaped},
                              {"rsplit", none_escaped},
                              {"rstrip", none_escaped},
                              {"split", none_escaped},
                              {"splitlines", none_escaped},
                              {"strip", none_escaped},
                              {"swapcase", none_escaped},
                              {"title", none_escaped},
                              {"upper", none_escaped},
                              {"zfill", none_escaped}};

template <size_t row>
Result<Value> of_str(Runtime& runtime, const Value& self, Arguments arguments) {
  constexpr OfText method = of_text[row];
  if constexpr (method.escaped_place != none_escaped)
    if (Items& places = arguments.positional; places.size() > method.escaped_place) {
      TRY(places[method.escaped_place], escaped(runtime, places[method.escaped_place]));
    }
  TRY(Value out, find_text_method(method.name)(runtime, self, std::move(arguments)));
  return as_markup(std::move(out));
}

template <size_t... rows>
Method of_str_named(std::string_view name, std::index_sequence<rows...>) {
  Method found = nullptr;
  ((found = of_text[rows].name == name ? of_str<rows> : found), ...);
  return found;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Result<Value> text_without_tags(Runtime& runtime, std::string_view text) {
  const std::string plain = without_tags(text);
  std::string out;
  for (const std::string_view word : split_by_space(plain, SIZE_MAX, From::left)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  TRY(out, unescaped(runtime, std::move(out)));
  return made_text(runtime, std::move(out));
}

Result<Value> as_markup(Value value) {
  if (value.is(Kind::text)) return value.is_markup() ? value : Value::markup(value.string());
  if (!value.is_sequence()) return value;
  Items items = value.items();
  for (Value& item : items)
    if (item.is(Kind::text)) item = Value::markup(item.string());
  return value.is(Kind::list) ? Value::list(std::move(items)) : Value::tuple(std::move(items));
}

Result<Value> escaped(Runtime& runtime, const Value& value) {
  if (value.is_markup()) return value;
  TRY(const std::string text, str_of(runtime, value));
  std::string out = html_escaped(text);
  TRY_DONE(runtime.budget.made(out.size()));
  return Value::markup(std::move(out));
}

Result<Value> soft_text(Runtime& runtime, const Value& value) {
  if (value.is(Kind::text)) return value;
  TRY(std::string text, str_of(runtime, value));
  return Value::text(std::move(text));
}

Result<Value> joined_markup(Runtime& runtime, const Value& left, const Value& right) {
  TRY(const Value first, escaped(runtime, left));
  TRY(const Value second, escaped(runtime, right));
  TRY_DONE(runtime.budget.made(first.string().size() + second.string().size()));
  return Value::markup(first.string() + second.string());
}

Method find_markup_method(std::string_view name) {
  if (name == "join") return join;
  if (name == "striptags") return strip_tags;
  if (name == "unescape") return unescape;
  if (name == "escape") return escape;
  if (const Method found = of_str_named(name, std::make_index_sequence<std::size(of_text)>())) return found;
  return find_text_method(name);
}

}  // namespace holdfast::jinja
