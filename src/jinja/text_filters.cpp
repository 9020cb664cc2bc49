// Filters that give text.
#include <algorithm>
#include <cmath>

#include "jinja/bound_arguments.h"
#include "jinja/characters.h"
#include "jinja/filters.h"
#include "jinja/item_path.h"
#include "jinja/iterate.h"
#include "jinja/markup.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"
#include "jinja/split.h"
#include "jinja/wrap.h"

namespace holdfast::jinja {
namespace {

using Bound = BoundArguments;
constexpr Integer width_max = 100'000;

std::string real_or_whole(const Value& number) {
  return number.is_whole() ? integer_text(number.whole()) : float_text(number.number());
}

using Mapped = std::string (*)(std::string_view);
template <Mapped map>
Result<Value> mapped(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("filter", std::move(arguments), {}, 0));
  TRY(const std::string text, str_of(runtime, value));
  return made_text(runtime, map(text));
}

// A text that was made of `value`: Markup where that was.
Result<Value> as_was(const Value& value, Value made) {
  return value.is_markup() ? as_markup(std::move(made)) : std::move(made);
}

template <Mapped map>
Result<Value> mapped_softly(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(Value made, mapped<map>(runtime, value, std::move(arguments)));
  return as_was(value, std::move(made));
}

Result<Value> escape(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("escape", std::move(arguments), {}, 0));
  return escaped(runtime, value);
}

// Markup is escaped again.
Result<Value> escape_always(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("forceescape", std::move(arguments), {}, 0));
  TRY(std::string text, str_of(runtime, value));
  return escaped(runtime, Value::text(std::move(text)));
}

Result<Value> safe(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("safe", std::move(arguments), {}, 0));
  TRY(Value text, soft_text(runtime, value));
  return as_markup(std::move(text));
}

// jinja2's own title: words begin after white space, hyphens and opening brackets.
std::string titled(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const std::string_view character : characters(text)) {
    const bool splits = is_space(code_point(character)) ||
                        std::string_view("-({[<").find(character) != std::string_view::npos;
    out += splits ? std::string(character) : begins ? to_upper(character) : to_lower(character);
    begins = splits;
  }
  return out;
}

std::string url_quoted(std::string_view text, std::string_view safe) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_.-~").find(c) != std::string_view::npos ||
                       safe.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      static constexpr std::string_view hex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

std::string query_quoted(std::string_view text) {
  std::string out = url_quoted(text, " ");
  std::replace(out.begin(), out.end(), ' ', '+');
  return out;
}

Result<Value> url_encode(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("urlencode", std::move(arguments), {}, 0));
  if (value.is(Kind::text) || !iterable(value)) {
    TRY(const std::string text, str_of(runtime, value));
    return made_text(runtime, url_quoted(text, "/"));
  }
  Items pairs;
  if (value.is(Kind::dict)) {
    for (const auto& [key, item] : value.as_dict().pairs) {
      TRY(Value pair, Value::tuple({key, item}));
      pairs.push_back(std::move(pair));
    }
  } else {
    TRY(pairs, collect(runtime, value));
  }
  std::string out;
  for (const Value& pair : pairs) {
    TRY(const Items parts, collect(runtime, pair));
    if (parts.size() != 2)
      return type_error("not enough values to unpack (expected 2, got " + std::to_string(parts.size()) + ")");
    TRY(const std::string key, str_of(runtime, parts[0]));
    TRY(const std::string item, str_of(runtime, parts[1]));
    if (!out.empty()) out += '&';
    out += query_quoted(key) + "=" + query_quoted(item);
  }
  return made_text(runtime, std::move(out));
}

Result<Value> center(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("center", std::move(arguments), {"width"}, 0));
  TRY(const Integer width, given.whole(0, 80));
  if (width > width_max) return type_error("the width is too large");
  TRY(const std::string text, str_of(runtime, value));
  TRY(std::string out, justified(runtime, text, width, " ", Justify::middle));
  return as_was(value, Value::text(std::move(out)));
}

Result<Value> indent(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("indent", std::move(arguments), {"width", "first", "blank"}, 0));
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (!value.is(Kind::text))
    return type_error("unsupported operand type(s) for +=: '" + type_name(value) + "' and 'str'");
  std::string step(4, ' ');
  if (given.has(0) && given.at(0).is(Kind::text)) {
    step = given.at(0).string();
  } else {
    TRY(const Integer width, given.whole(0, 4));
    if (width > width_max) return type_error("the width is too large");
    step.assign(static_cast<size_t>(std::max<Integer>(0, width)), ' ');
  }
  const std::string whole = value.string() + "\n";
  const auto lines = lines_of(whole);
  TRY_DONE(runtime.budget.made(whole.size() + step.size() * (lines.size() + 1)));
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    const bool indented = i == 0 ? given.flag(1) : given.flag(2) || !lines[i].empty();
    if (indented) out += step;
    out += lines[i];
  }
  return as_was(value, Value::text(std::move(out)));
}

Result<Value> join(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("join", std::move(arguments), {"d", "attribute"}, 0));
  TRY(const std::string between, str_of(runtime, given.value_or(0, Value::text(""))));
  TRY(const ItemPath path, ItemPath::of(runtime, given.value_or(1, Value())));
  TRY(const NextItem next, open_iterator(runtime, value));
  std::string out;
  for (bool first = true;; first = false) {
    TRY(const std::optional<Value> item, next());
    if (!item) return Value::text(std::move(out));
    TRY(const Value part, path.get(runtime, *item));
    TRY(const std::string text, str_of(runtime, part));
    TRY_DONE(runtime.budget.made(between.size()));
    if (!first) out += between;
    out += text;
  }
}

Result<Value> replace(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("replace", std::move(arguments), {"old", "new", "count"}, 2));
  TRY(const std::string text, str_of(runtime, value));
  TRY(const std::string old, str_of(runtime, given.at(0)));
  TRY(const std::string fresh, str_of(runtime, given.at(1)));
  Integer most = -1;
  if (given.has(2) && !given.at(2).is(Kind::none)) {
    TRY(most, given.whole(2, -1));
  }
  TRY(std::string out, replaced(runtime, text, old, fresh, most));
  return Value::text(std::move(out));
}

Result<Value> strip_tags(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("striptags", std::move(arguments), {}, 0));
  TRY(const std::string text, str_of(runtime, value));
  return text_without_tags(runtime, text);
}

Result<Value> trim(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("trim", std::move(arguments), {"chars"}, 0));
  TRY(const auto set, given.text(0));
  TRY(const std::string text, str_of(runtime, value));
  return as_was(
      value, Value::text(std::string(set ? stripped(text, *set, Ends::both) : stripped(text, Ends::both))));
}

// jinja2 measures all it is given before it looks whether there is anything to cut: lengths may be any
// numbers and ends anything that has a length, as long as nothing is cut.
Result<Value> truncate(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given,
      Bound::bind("truncate", std::move(arguments), {"length", "killwords", "end", "leeway"}, 0));
  const Value length = given.value_or(0, Value::integer(255));
  const Value end = given.value_or(2, Value::text("..."));
  Value leeway = given.value_or(3, Value());
  if (leeway.is(Kind::none)) leeway = Value::integer(5);
  for (const Value* const number : std::initializer_list<const Value*>{&length, &leeway})
    if (!number->is_number()) return type_error("the length and leeway of truncate must be numbers");
  TRY(const Integer end_count, length_of(end));
  if (length.number() < static_cast<double>(end_count))
    return type_error("expected length >= " + integer_text(end_count) + ", got " + real_or_whole(length));
  if (leeway.number() < 0) return type_error("expected leeway >= 0, got " + real_or_whole(leeway));
  TRY(const Integer count, length_of(value));
  if (static_cast<double>(count) <= length.number() + leeway.number()) return value;
  if (end.is(Kind::undefined)) return undefined_error(end);
  if (!value.is(Kind::text))
    return type_error("object of type '" + type_name(value) + "' cannot be truncated");
  if (!length.is_whole())
    return type_error("slice indices must be integers or None or have an __index__ method");
  const std::string& text = value.string();
  std::string cut = text.substr(0, character_offset(text, static_cast<size_t>(length.whole() - end_count)));
  if (!given.flag(1)) cut.resize(std::min(cut.rfind(' '), cut.size()));
  TRY(const Value kept, as_was(value, Value::text(std::move(cut))));
  return binary(runtime, "+", kept, end);
}

Result<Value> word_count(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("wordcount", std::move(arguments), {}, 0));
  TRY(const std::string text, str_of(runtime, value));
  Integer count = 0;
  bool inside = false;
  for (const std::string_view character : characters(text)) {
    const bool word = is_word(code_point(character));
    count += word && !inside ? 1 : 0;
    inside = word;
  }
  return Value::integer(count);
}

Result<Value> word_wrap(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("wordwrap", std::move(arguments),
                                     {"width", "break_long_words", "wrapstring", "break_on_hyphens"}, 0));
  if (!value.is(Kind::text)) return type_error("wordwrap needs a string, not " + type_name(value));
  // Where there is no line nobody looks at the width.
  if (value.string().empty()) return Value::text("");
  // Widths are compared only: 2.5 is as good as 2.
  const Value width_given = given.value_or(0, Value::integer(79));
  Integer width = 0;
  if (width_given.is(Kind::real) && width_given.number() > 0) {
    width = static_cast<Integer>(std::clamp<double>(std::floor(width_given.number()), 1, 1e9));
  } else {
    TRY(width, given.whole(0, 79));
  }
  if (width <= 0) return type_error("invalid width " + integer_text(width) + " (must be > 0)");
  TRY(const auto wrap_string, given.text(2));
  const std::string between = wrap_string.value_or("\n");
  WrapStyle style;
  style.width = static_cast<size_t>(std::min<Integer>(width, width_max));
  style.break_long_words = given.flag(1, true);
  style.break_on_hyphens = given.flag(3, true);
  TRY_DONE(runtime.budget.made(value.string().size() * 2));
  std::string out;
  bool first = true;
  for (const std::string_view line : lines_of(value.string())) {
    if (!first) out += between;
    first = false;
    const auto pieces = wrapped(line, style);
    TRY_DONE(runtime.budget.made(between.size() * pieces.size()));
    for (size_t i = 0; i < pieces.size(); ++i) out += (i > 0 ? between : "") + pieces[i];
  }
  return made_text(runtime, std::move(out));
}

Result<Value> xml_attributes(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("xmlattr", std::move(arguments), {"autospace"}, 0));
  if (!value.is(Kind::dict)) return type_error("xmlattr needs a mapping, not " + type_name(value));
  std::string out;
  for (const auto& [key, item] : value.as_dict().pairs) {
    if (item.is(Kind::none) || item.is(Kind::undefined)) continue;
    if (!key.is(Kind::text))
      return type_error("expected string or bytes-like object, got '" + type_name(key) + "'");
    if (key.string().find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      return type_error("Invalid character in attribute name: " + quoted(key.string()));
    TRY(const Value name, escaped(runtime, key));
    TRY(const Value text, escaped(runtime, item));
    if (!out.empty()) out += ' ';
    out += name.string() + "=\"" + text.string() + "\"";
  }
  return made_text(runtime, given.flag(0, true) && !out.empty() ? " " + out : out);
}

struct Row {
  std::string_view name;
  Filter filter;
};
constexpr Row rows[] = {{"capitalize", mapped_softly<capitalized>},
                        {"center", center},
                        {"e", escape},
                        {"escape", escape},
                        {"forceescape", escape_always},
                        {"indent", indent},
                        {"join", join},
                        {"lower", mapped_softly<to_lower>},
                        {"replace", replace},
                        {"safe", safe},
                        {"striptags", strip_tags},
                        {"title", mapped<titled>},
                        {"trim", trim},
                        {"truncate", truncate},
                        {"upper", mapped_softly<to_upper>},
                        {"urlencode", url_encode},
                        {"wordcount", word_count},
                        {"wordwrap", word_wrap},
                        {"xmlattr", xml_attributes}};

}  // namespace

Filter find_text_filter(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.filter;
  return nullptr;
}

}  // namespace holdfast::jinja
