// The methods of str, by name. Positions are in code points, as Python counts.
#include <algorithm>

#include "jinja/bound_arguments.h"
#include "jinja/characters.h"
#include "jinja/format.h"
#include "jinja/iterate.h"
#include "jinja/methods.h"
#include "jinja/python_text.h"
#include "jinja/split.h"

namespace holdfast::jinja {
namespace {

constexpr Integer width_max = 10'000'000;

using Mapped = std::string (*)(std::string_view);
template <Mapped map>
Result<Value> mapped(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("method", std::move(arguments), {}, 0));
  return made_text(runtime, map(self.string()));
}

using Asked = bool (*)(std::string_view);
template <Asked ask>
Result<Value> asked(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("method", std::move(arguments), {}, 0));
  TRY_DONE(runtime.budget.made(self.string().size()));
  return Value::boolean(ask(self.string()));
}

using OfCharacter = bool (*)(char32_t);
template <OfCharacter is>
bool every(std::string_view text) {
  const auto all = characters(text);
  return !all.empty() &&
         std::all_of(all.begin(), all.end(), [](std::string_view c) { return is(code_point(c)); });
}
bool is_alphanumeric(char32_t code) { return code != '_' && is_word(code); }
bool every_printable(std::string_view text) { return text.empty() || every<is_printable>(text); }
bool every_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
bool is_identifier(std::string_view text) {
  const auto all = characters(text);
  if (all.empty() || !is_identifier_start(code_point(all[0]))) return false;
  return std::all_of(all.begin(), all.end(),
                     [](std::string_view c) { return is_identifier_part(code_point(c)); });
}

template <Ends ends>
Result<Value> strip(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("strip", std::move(arguments), 1, 0));
  TRY(const auto set, given.text(0));
  const std::string& text = self.string();
  return made_text(runtime, std::string(set ? stripped(text, *set, ends) : stripped(text, ends)));
}

Result<Value> as_list(Runtime& runtime, const std::vector<std::string_view>& pieces) {
  TRY_DONE(runtime.budget.steps(pieces.size()));
  Items items;
  for (const std::string_view piece : pieces) {
    TRY(Value item, made_text(runtime, std::string(piece)));
    items.push_back(std::move(item));
  }
  return Value::list(std::move(items));
}

template <From from>
Result<Value> split(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given,
      BoundArguments::bind("split", std::move(arguments), {"sep", "maxsplit"}, 0));
  TRY(const auto separator, given.text(0));
  TRY(const Integer most, given.whole(1, -1));
  if (separator && separator->empty()) return type_error("empty separator");
  const auto limit = most < 0 || most > width_max * 100 ? SIZE_MAX : static_cast<size_t>(most);
  const std::string& text = self.string();
  return as_list(runtime,
                 separator ? split_by(text, *separator, limit, from) : split_by_space(text, limit, from));
}

Result<Value> split_lines(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind("splitlines", std::move(arguments), {"keepends"}, 0));
  TRY(const Integer keeps, given.whole(0, 0));
  return as_list(runtime, lines_of(self.string(), keeps != 0 ? KeepEnds::yes : KeepEnds::no));
}

// The part of the text between two optional positions, and where it starts.
struct Window {
  std::string_view text;
  size_t start = 0;  // In code points.
  bool valid = true;
};

Result<Window> window(const Value& self, const BoundArguments& given, size_t first) {
  const std::string& text = self.string();
  const auto bound = [&](size_t index, Integer otherwise) -> Result<Integer> {
    if (!given.has(index) || given.at(index).is(Kind::none)) return otherwise;
    return given.whole(index, otherwise);
  };
  const auto count = static_cast<Integer>(character_count(text));
  TRY(Integer start, bound(first, 0));
  TRY(Integer stop, bound(first + 1, count));
  if (start < 0) start = std::max<Integer>(0, start + count);
  if (stop < 0) stop = std::max<Integer>(0, stop + count);
  stop = std::min(stop, count);
  if (start > stop) return Window{{}, 0, false};
  const size_t from = character_offset(text, static_cast<size_t>(start));
  const size_t to = character_offset(text, static_cast<size_t>(stop));
  return Window{std::string_view(text).substr(from, to - from), static_cast<size_t>(start), true};
}

enum class Side : uint8_t { left, right };
enum class NotFound : uint8_t { minus_one, error };
template <Side side, NotFound not_found>
Result<Value> find(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("find", std::move(arguments), 3, 1));
  TRY(const auto wanted, given.text(0));
  if (!wanted) return type_error("must be str, not NoneType");
  TRY_DONE(runtime.budget.made(self.string().size()));
  TRY(const Window view, window(self, given, 1));
  const size_t at = !view.valid          ? std::string_view::npos
                    : side == Side::left ? view.text.find(*wanted)
                                         : view.text.rfind(*wanted);
  if (at != std::string_view::npos)
    return Value::integer(static_cast<Integer>(view.start + character_count(view.text.substr(0, at))));
  if (not_found == NotFound::error) return type_error("substring not found");
  return Value::integer(-1);
}

Result<Value> count(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("count", std::move(arguments), 3, 1));
  TRY(const auto wanted, given.text(0));
  if (!wanted) return type_error("must be str, not NoneType");
  TRY_DONE(runtime.budget.made(self.string().size()));
  TRY(const Window view, window(self, given, 1));
  if (!view.valid) return Value::integer(0);
  if (wanted->empty()) return Value::integer(static_cast<Integer>(character_count(view.text)) + 1);
  Integer found = 0;
  for (size_t at = 0; (at = view.text.find(*wanted, at)) != std::string_view::npos; at += wanted->size())
    ++found;
  return Value::integer(found);
}

template <Side side>
Result<Value> has_end(Runtime& runtime, const Value& self, Arguments arguments) {
  const char* name = side == Side::left ? "startswith" : "endswith";
  TRY(const BoundArguments given, BoundArguments::bind_places(name, std::move(arguments), 3, 1));
  TRY_DONE(runtime.budget.steps(1 + self.string().size() / 256));
  TRY(const Window view, window(self, given, 1));
  const Value& wanted = given.at(0);
  const auto matches = [&](const Value& one) {
    return view.valid &&
           (side == Side::left ? view.text.starts_with(one.string()) : view.text.ends_with(one.string()));
  };
  if (wanted.is(Kind::undefined)) return undefined_error(wanted);
  if (wanted.is(Kind::text)) return Value::boolean(matches(wanted));
  if (!wanted.is(Kind::tuple))
    return type_error(std::string(name) + " first arg must be str or a tuple of str, not " +
                      type_name(wanted));
  for (const Value& one : wanted.items()) {
    if (!one.is(Kind::text)) return type_error("tuple for " + std::string(name) + " must only contain str");
    if (matches(one)) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Result<Value> replace(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("replace", std::move(arguments), 3, 2));
  TRY(const auto old, given.text(0));
  TRY(const auto fresh, given.text(1));
  if (!old || !fresh) return type_error("replace() argument must be str, not None");
  TRY(const Integer most, given.whole(2, -1));
  TRY(std::string out, replaced(runtime, self.string(), *old, *fresh, most));
  return Value::text(std::move(out));
}

Result<Value> join(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("join", std::move(arguments), 1, 1));
  if (!iterable(given.at(0))) return type_error("can only join an iterable");
  TRY(const Items items, collect(runtime, given.at(0)));
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is(Kind::text))
      return type_error("sequence item " + std::to_string(i) + ": expected str instance, " +
                        type_name(items[i]) + " found");
    TRY_DONE(runtime.budget.made(items[i].string().size() + self.string().size()));
    if (i > 0) out += self.string();
    out += items[i].string();
  }
  return Value::text(std::move(out));
}

template <Side side>
Result<Value> partition(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("partition", std::move(arguments), 1, 1));
  TRY(const auto separator, given.text(0));
  if (!separator || separator->empty()) return type_error("empty separator");
  const std::string& text = self.string();
  TRY_DONE(runtime.budget.made(text.size()));
  const size_t at = side == Side::left ? text.find(*separator) : text.rfind(*separator);
  const auto piece = [&](size_t from, size_t bytes) { return Value::text(text.substr(from, bytes)); };
  if (at == std::string::npos) {
    const Value empty = Value::text("");
    return side == Side::left ? Value::tuple({self, empty, empty}) : Value::tuple({empty, empty, self});
  }
  return Value::tuple(
      {piece(0, at), piece(at, separator->size()), piece(at + separator->size(), std::string::npos)});
}

template <Side side>
Result<Value> remove_end(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("removeprefix", std::move(arguments), 1, 1));
  TRY(const auto end, given.text(0));
  if (!end) return type_error("removeprefix() argument must be str, not None");
  std::string_view text = self.string();
  if (side == Side::left && text.starts_with(*end)) text.remove_prefix(end->size());
  if (side == Side::right && text.ends_with(*end)) text.remove_suffix(end->size());
  return made_text(runtime, std::string(text));
}

enum class Place : uint8_t { left, right, middle };
template <Place place>
Result<Value> justify(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("center", std::move(arguments), 2, 1));
  TRY(const Integer width, given.whole(0, 0));
  TRY(const auto fill, given.text(1));
  if (given.has(1) && !fill)
    return type_error("The fill character must be a unicode character, not NoneType");
  if (fill && character_count(*fill) != 1)
    return type_error("The fill character must be exactly one character long");
  if (width > width_max) return type_error("the width is too large");
  TRY(std::string out, justified(runtime, self.string(), width, fill.value_or(" "),
                                 place == Place::left    ? Justify::left
                                 : place == Place::right ? Justify::right
                                                         : Justify::middle));
  return Value::text(std::move(out));
}

Result<Value> zero_fill(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("zfill", std::move(arguments), 1, 1));
  TRY(const Integer width, given.whole(0, 0));
  if (width > width_max) return type_error("the width is too large");
  const std::string& text = self.string();
  const auto missing = std::max<Integer>(0, width - static_cast<Integer>(character_count(text)));
  const size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  return made_text(runtime,
                   text.substr(0, sign) + std::string(static_cast<size_t>(missing), '0') + text.substr(sign));
}

Result<Value> expand_tabs(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind("expandtabs", std::move(arguments), {"tabsize"}, 0));
  TRY(const Integer size, given.whole(0, 8));
  if (size > 1000) return type_error("the tab size is too large");
  std::string out;
  Integer column = 0;
  for (const std::string_view character : characters(self.string())) {
    const Integer spaces = size <= 0 ? 0 : size - column % size;
    if (character == "\t") {
      TRY_DONE(runtime.budget.made(static_cast<size_t>(spaces)));
      out.append(static_cast<size_t>(spaces), ' ');
      column += spaces;
    } else {
      out += character;
      column = character == "\n" || character == "\r" ? 0 : column + 1;
    }
  }
  return made_text(runtime, std::move(out));
}

Result<Value> format(Runtime& runtime, const Value& self, Arguments arguments) {
  return format_braces(runtime, self, arguments);
}

Result<Value> format_map(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("format_map", std::move(arguments), 1, 1));
  Arguments all;  // Of what is no dict no field is found.
  if (given.at(0).is(Kind::dict))
    for (const auto& [key, value] : given.at(0).as_dict().pairs)
      if (key.is(Kind::text)) all.named.emplace_back(key.string(), value);
  return format_braces(runtime, self, all);
}

struct Row {
  std::string_view name;
  Method method;
};

constexpr Row rows[] = {
    {"strip", strip<Ends::both>},
    {"lstrip", strip<Ends::left>},
    {"rstrip", strip<Ends::right>},
    {"split", split<From::left>},
    {"rsplit", split<From::right>},
    {"splitlines", split_lines},
    {"startswith", has_end<Side::left>},
    {"endswith", has_end<Side::right>},
    {"replace", replace},
    {"upper", mapped<to_upper>},
    {"lower", mapped<to_lower>},
    {"title", mapped<to_title>},
    {"capitalize", mapped<capitalized>},
    {"casefold", mapped<case_folded>},
    {"swapcase", mapped<case_swapped>},
    {"join", join},
    {"find", find<Side::left, NotFound::minus_one>},
    {"rfind", find<Side::right, NotFound::minus_one>},
    {"index", find<Side::left, NotFound::error>},
    {"rindex", find<Side::right, NotFound::error>},
    {"count", count},
    {"partition", partition<Side::left>},
    {"rpartition", partition<Side::right>},
    {"removeprefix", remove_end<Side::left>},
    {"removesuffix", remove_end<Side::right>},
    {"center", justify<Place::middle>},
    {"ljust", justify<Place::left>},
    {"rjust", justify<Place::right>},
    {"zfill", zero_fill},
    {"expandtabs", expand_tabs},
    {"format", format},
    {"format_map", format_map},
    {"isalnum", asked<every<is_alphanumeric>>},
    {"isalpha", asked<every<is_alphabetic>>},
    {"isascii", asked<every_ascii>},
    {"isdecimal", asked<every<is_decimal>>},
    {"isdigit", asked<every<is_digit>>},
    {"isidentifier", asked<is_identifier>},
    {"islower", asked<all_lower>},
    {"isnumeric", asked<every<is_numeric>>},
    {"isprintable", asked<every_printable>},
    {"isspace", asked<every<is_space>>},
    {"istitle", asked<is_title>},
    {"isupper", asked<all_upper>},
};

}  // namespace

Method find_text_method(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.method;
  return nullptr;
}

}  // namespace holdfast::jinja
