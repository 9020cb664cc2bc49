#include "jinja/python_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "jinja/characters.h"
#include "jinja/loop.h"

namespace holdfast::jinja {
namespace {

// Writes a value's repr piece by piece, each charged to the budget before the next.
class Printer {
 public:
  explicit Printer(Runtime& runtime) : runtime_(runtime) {}

  Status put(std::string_view text) {
    TRY_DONE(runtime_.budget.made(text.size()));
    out_ += text;
    return Done{};
  }
  std::string take() { return std::move(out_); }

  Status repr(const Value& value) {
    TRY_DONE(runtime_.budget.steps(1));
    switch (value.kind()) {
      case Kind::undefined:
        return put("Undefined");
      case Kind::none:
        return put("None");
      case Kind::boolean:
        return put(value.flag() ? "True" : "False");
      case Kind::integer:
        return put(integer_text(value.whole()));
      case Kind::real:
        return put(float_text(value.number()));
      case Kind::text:
        return put(value.is_markup() ? "Markup(" + quoted(value.string()) + ")" : quoted(value.string()));
      case Kind::list:
        return items(value.items(), "[", "]");
      case Kind::tuple:
        return items(value.items(), "(", value.items().size() == 1 ? ",)" : ")");
      case Kind::dict:
        return dict(value.as_dict());
      case Kind::range:
        return range(value.as<RangeObject>());
      case Kind::view:
        return view(value.as<ViewObject>());
      case Kind::iterator:
        return put("<" + type_name(value) + " object>");
      case Kind::name_space:
        return name_space(value.as<NamespaceObject>());
      case Kind::function:
        return put(value.as<FunctionObject>().printed);
      case Kind::loop:
        return put(value.changing<LoopObject>().shown());
    }
    return Done{};
  }

 private:
  Status items(const Items& items, std::string_view open, std::string_view close) {
    TRY_DONE(put(open));
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) TRY_DONE(put(", "));
      TRY_DONE(repr(items[i]));
    }
    return put(close);
  }

  Status dict(const DictObject& dict) {
    TRY_DONE(put("{"));
    for (size_t i = 0; i < dict.pairs.size(); ++i) {
      if (i > 0) TRY_DONE(put(", "));
      TRY_DONE(repr(dict.pairs[i].first));
      TRY_DONE(put(": "));
      TRY_DONE(repr(dict.pairs[i].second));
    }
    return put("}");
  }

  Status range(const RangeObject& range) {
    TRY_DONE(put("range(" + integer_text(range.start) + ", " + integer_text(range.stop)));
    return put(range.step == 1 ? ")" : ", " + integer_text(range.step) + ")");
  }

  Status view(const ViewObject& view) {
    const auto& dict = static_cast<const DictObject&>(*view.dict);
    TRY_DONE(put(view.of == ViewOf::keys     ? "dict_keys(["
                 : view.of == ViewOf::values ? "dict_values(["
                                             : "dict_items(["));
    for (size_t i = 0; i < dict.pairs.size(); ++i) {
      if (i > 0) TRY_DONE(put(", "));
      if (view.of == ViewOf::items) TRY_DONE(put("("));
      if (view.of != ViewOf::values) TRY_DONE(repr(dict.pairs[i].first));
      if (view.of == ViewOf::items) TRY_DONE(put(", "));
      if (view.of != ViewOf::keys) TRY_DONE(repr(dict.pairs[i].second));
      if (view.of == ViewOf::items) TRY_DONE(put(")"));
    }
    return put("])");
  }

  // A namespace may hold itself: that is the one way round the bound on nesting.
  Status name_space(const NamespaceObject& space) {
    if (std::find(open_.begin(), open_.end(), &space) != open_.end() || open_.size() > nesting_max)
      return type_error("maximum recursion depth exceeded");
    open_.push_back(&space);
    TRY_DONE(put("<Namespace {"));
    for (size_t i = 0; i < space.attributes.size(); ++i) {
      if (i > 0) TRY_DONE(put(", "));
      TRY_DONE(put(quoted(space.attributes[i].first) + ": "));
      TRY_DONE(repr(space.attributes[i].second));
    }
    open_.pop_back();
    return put("}>");
  }

  Runtime& runtime_;
  std::string out_;
  std::vector<const NamespaceObject*> open_;
};

}  // namespace

Result<std::string> str_of(Runtime& runtime, const Value& value) {
  if (value.is(Kind::text)) {
    TRY_DONE(runtime.budget.made(value.string().size()));
    return value.string();
  }
  if (value.is(Kind::undefined)) return std::string();
  return repr_of(runtime, value);
}

Result<std::string> repr_of(Runtime& runtime, const Value& value) {
  Printer printer(runtime);
  TRY_DONE(printer.repr(value));
  return printer.take();
}

std::string integer_text(Integer number, int base) {
  const bool negative = number < 0;
  auto rest = negative ? -static_cast<unsigned __int128>(number) : static_cast<unsigned __int128>(number);
  std::string out;
  do {
    out.push_back("0123456789abcdef"[static_cast<size_t>(rest % static_cast<unsigned>(base))]);
    rest /= static_cast<unsigned>(base);
  } while (rest != 0);
  if (negative) out.push_back('-');
  std::reverse(out.begin(), out.end());
  return out;
}

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto made = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  const std::string_view scientific(buffer, static_cast<size_t>(made.ptr - buffer));
  const size_t mark = scientific.find('e');
  int power = 0;
  const char* digits = scientific.data() + mark + 1;
  std::from_chars(*digits == '+' ? digits + 1 : digits, made.ptr, power);
  if (power < -4 || power >= 16) return std::string(scientific);
  const auto plain = std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::fixed);
  std::string out(buffer, plain.ptr);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string quoted(std::string_view text) {
  const bool double_quotes =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, character_bytes(text.substr(at)));
    at += character.size();
    const char32_t code = code_point(character);
    if (code == static_cast<unsigned char>(quote) || code == '\\') {
      out += '\\';
      out += character;
    } else if (code == '\n' || code == '\r' || code == '\t') {
      out += code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t";
    } else if (is_printable(code)) {
      out += character;
    } else {
      char escape[12];
      std::snprintf(escape, sizeof(escape),
                    code < 0x100     ? "\\x%02x"
                    : code < 0x10000 ? "\\u%04x"
                                     : "\\U%08x",
                    static_cast<unsigned>(code));
      out += escape;
    }
  }
  out += quote;
  return out;
}

}  // namespace holdfast::jinja
