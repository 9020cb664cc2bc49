#include "jinja/format.h"

#include <charconv>
#include <cmath>

#include "jinja/access.h"
#include "jinja/characters.h"
#include "jinja/markup.h"
#include "jinja/number_format.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

constexpr int fields_deep_max = 2;  // A field in a field's specification, as Python allows.

// repr with everything beyond ASCII escaped.
std::string ascii_only(std::string_view text) {
  std::string out;
  for (const std::string_view character : characters(text)) {
    const char32_t code = code_point(character);
    if (code < 0x80) {
      out += character;
      continue;
    }
    char escape[12];
    std::snprintf(escape, sizeof(escape),
                  code < 0x100     ? "\\x%02x"
                  : code < 0x10000 ? "\\u%04x"
                                   : "\\U%08x",
                  static_cast<unsigned>(code));
    out += escape;
  }
  return out;
}

std::string cut(std::string text, const std::optional<int>& precision) {
  if (precision) text.resize(character_offset(text, static_cast<size_t>(*precision)));
  return text;
}

std::string integer_digits(Integer number, const NumberFormat& format) {
  const bool upper = format.type == 'X';
  const int base = format.type == 'x' || upper ? 16 : format.type == 'o' ? 8 : format.type == 'b' ? 2 : 10;
  std::string out = integer_text(number < 0 ? -number : number, base);
  if (upper) out = to_upper(out);
  if (format.alternate && base != 10)
    out = (base == 16 ? (upper ? "0X" : "0x") : base == 8 ? "0o" : "0b") + out;
  return out;
}

Error bad_type(char type, const Value& value) {
  return type_error(std::string("Unknown format code '") + type + "' for object of type '" +
                    type_name(value) + "'");
}

// Zeros that fill a width are grouped as digits are.
size_t room_for_zeros(std::string_view sign, const NumberFormat& format) {
  const auto width = static_cast<size_t>(format.width);
  return format.fill == "0" && format.align == '=' && width > sign.size() ? width - sign.size() : 0;
}

Result<std::string> format_number(const Value& value, NumberFormat format) {
  static constexpr std::string_view whole_types = "bdoxXnc", real_types = "eEfFgG%n";
  const bool whole =
      value.is_whole() && (format.type == '\0' || whole_types.find(format.type) != std::string_view::npos);
  if (whole && format.type == 'c') {
    std::string text;
    append_utf8(text, static_cast<char32_t>(value.whole()));
    return filled("", text, format, '<');
  }
  if (whole) {
    if (format.precision) return type_error("Precision not allowed in integer format specifier");
    std::string sign = sign_of(value.whole() < 0, format.sign);
    std::string digits = integer_digits(value.whole(), format);
    if (format.alternate && digits.size() > 2 && digits[0] == '0') {
      sign += digits.substr(0, 2);
      digits.erase(0, 2);
    }
    return filled(sign, grouped(std::move(digits), format, room_for_zeros(sign, format)), format, '>');
  }
  if (format.type != '\0' && real_types.find(format.type) == std::string_view::npos)
    return bad_type(format.type, value);
  const double number = value.number();
  const std::string sign = sign_of(std::signbit(number) && !std::isnan(number), format.sign);
  return filled(sign, grouped(real_digits(std::fabs(number), format), format, room_for_zeros(sign, format)),
                format, '>');
}

Result<Value> made_as(Runtime& runtime, std::string text, bool markup) {
  TRY(Value made, made_text(runtime, std::move(text)));
  return markup ? as_markup(std::move(made)) : made;
}

// One run over a %-pattern.
class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, const Value& pattern, const Value& values)
      : runtime_(runtime), pattern_(pattern.string()), values_(values), markup_(pattern.is_markup()) {}

  Result<Value> run() {
    std::string out;
    while (at_ < pattern_.size()) {
      if (pattern_[at_] != '%') {
        out.push_back(pattern_[at_++]);
        continue;
      }
      ++at_;
      TRY(const std::string piece, conversion());
      TRY_DONE(runtime_.budget.made(piece.size()));
      out += piece;
    }
    const bool left_over = values_.is(Kind::tuple)
                               ? next_ < values_.items().size()
                               : next_ == 0 && !values_.is(Kind::dict) && !values_.is_sequence() &&
                                     !values_.is(Kind::undefined) && !values_.is(Kind::range);
    if (left_over) return type_error("not all arguments converted during string formatting");
    return made_as(runtime_, std::move(out), markup_);
  }

 private:
  Result<Value> next() {
    if (values_.is(Kind::tuple) ? next_ >= values_.items().size() : next_ > 0)
      return type_error("not enough arguments for format string");
    const size_t index = next_++;
    return values_.is(Kind::tuple) ? values_.items()[index] : values_;
  }

  Result<int> count() {
    if (at_ < pattern_.size() && pattern_[at_] == '*') {
      ++at_;
      TRY(const Value value, next());
      if (!value.is_whole()) return type_error("* wants int");
      if (value.whole() > format_width_max || value.whole() < -format_width_max)
        return type_error("the width of a format is too large");
      return static_cast<int>(value.whole());
    }
    int out = 0;
    for (; at_ < pattern_.size() && pattern_[at_] >= '0' && pattern_[at_] <= '9'; ++at_) {
      out = out * 10 + (pattern_[at_] - '0');
      if (out > format_width_max) return type_error("the width of a format is too large");
    }
    return out;
  }

  Result<std::optional<Value>> key() {
    if (at_ >= pattern_.size() || pattern_[at_] != '(') return std::optional<Value>();
    if (!values_.is(Kind::dict)) return type_error("format requires a mapping");
    size_t depth = 1, end = at_ + 1;
    for (; end < pattern_.size(); ++end) {
      depth += pattern_[end] == '(' ? 1 : 0;
      if (pattern_[end] == ')' && --depth == 0) break;
    }
    if (end >= pattern_.size()) return type_error("incomplete format key");
    const std::string_view name = pattern_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    const Value* found = values_.as_dict().find(name);
    if (found == nullptr) return type_error(quoted(name));
    return std::optional<Value>(*found);
  }

  Result<std::string> conversion() {
    TRY(std::optional<Value> value, key());
    NumberFormat format;
    bool zero = false, left = false;
    for (; at_ < pattern_.size(); ++at_) {
      const char flag = pattern_[at_];
      if (flag == '0')
        zero = true;
      else if (flag == '-')
        left = true;
      else if (flag == '+')
        format.sign = '+';
      else if (flag == ' ')
        format.sign = format.sign == '+' ? '+' : ' ';
      else if (flag == '#')
        format.alternate = true;
      else
        break;
    }
    TRY(format.width, count());
    if (format.width < 0) {
      left = true;
      format.width = -format.width;
    }
    if (at_ < pattern_.size() && pattern_[at_] == '.') {
      ++at_;
      TRY(const int precision, count());
      format.precision = std::max(0, precision);
    }
    while (at_ < pattern_.size() && (pattern_[at_] == 'l' || pattern_[at_] == 'h' || pattern_[at_] == 'L'))
      ++at_;
    if (at_ >= pattern_.size()) return type_error("incomplete format");
    const char type = pattern_[at_++];
    if (type == '%') return std::string("%");
    if (!value) {
      TRY(value, next());
    }
    format.align = left ? '<' : '>';
    return converted(*value, type, format, zero && !left);
  }

  Result<std::string> converted(const Value& value, char type, NumberFormat format, bool zero) {
    if (type == 's' || type == 'r' || type == 'a') {
      TRY(std::string text, type == 's' ? str_of(runtime_, value) : repr_of(runtime_, value));
      if (markup_ && !(type == 's' && value.is_markup())) text = html_escaped(text);
      if (type == 'a') text = ascii_only(text);
      return filled("", cut(std::move(text), format.precision), format, '>');
    }
    // What stands for a value beside Markup is no integer, though it can become one.
    if (markup_ && std::string_view("coxX").find(type) != std::string_view::npos)
      return type_error(std::string("%") + type + " format: an integer is required, not _MarkupEscapeHelper");
    if (type == 'c') return character(value, format);
    if (zero) {
      format.align = '=';
      format.fill = "0";
    }
    static constexpr std::string_view whole_types = "diuoxX", real_types = "eEfFgG";
    if (whole_types.find(type) != std::string_view::npos) return whole(value, type, format);
    if (real_types.find(type) == std::string_view::npos)
      return type_error(std::string("unsupported format character '") + type + "'");
    if (!value.is_number()) return type_error("must be real number, not " + type_name(value));
    format.type = type;
    const double number = value.number();
    return filled(sign_of(std::signbit(number) && !std::isnan(number), format.sign),
                  real_digits(std::fabs(number), format), format, '>');
  }

  Result<std::string> character(const Value& value, const NumberFormat& format) {
    std::string text;
    if (value.is_whole() && value.whole() >= 0 && value.whole() < 0x110000) {
      append_utf8(text, static_cast<char32_t>(value.whole()));
    } else if (value.is(Kind::text) && character_count(value.string()) == 1) {
      text = value.string();
    } else {
      return type_error("%c requires int or char");
    }
    return filled("", text, format, '>');
  }

  Result<std::string> whole(const Value& value, char type, NumberFormat format) {
    const bool decimal = type == 'd' || type == 'i' || type == 'u';
    if (!value.is_whole() && !(decimal && value.is(Kind::real) && std::fabs(value.number()) < 1e27))
      return type_error(std::string("%") + type + " format: " + (decimal ? "a real number" : "an integer") +
                        " is required, not " + type_name(value));
    const Integer number = value.is_whole() ? value.whole() : static_cast<Integer>(value.number());
    format.type = decimal ? 'd' : type;
    std::string digits = integer_digits(number, format);
    const size_t least = static_cast<size_t>(format.precision.value_or(0));
    if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
    return filled(sign_of(number < 0, format.sign), digits, format, '>');
  }

  Runtime& runtime_;
  std::string_view pattern_;
  const Value& values_;
  bool markup_;
  size_t at_ = 0, next_ = 0;
};

// One run over a {}-pattern.
class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Arguments& arguments, bool markup)
      : runtime_(runtime), arguments_(arguments), markup_(markup) {}

  Result<std::string> run(std::string_view pattern, int depth) {
    if (depth > fields_deep_max) return type_error("Max string recursion exceeded");
    std::string out;
    for (size_t at = 0; at < pattern.size();) {
      const char c = pattern[at];
      if (c != '{' && c != '}') {
        out.push_back(c);
        ++at;
      } else if (at + 1 < pattern.size() && pattern[at + 1] == c) {
        out.push_back(c);
        at += 2;
      } else if (c == '}') {
        return type_error("Single '}' encountered in format string");
      } else {
        const size_t end = field_end(pattern, at + 1);
        if (end == std::string_view::npos) return type_error("expected '}' before end of string");
        TRY(const std::string piece, field(pattern.substr(at + 1, end - at - 1), depth));
        TRY_DONE(runtime_.budget.made(piece.size()));
        out += piece;
        at = end + 1;
      }
    }
    return out;
  }

 private:
  static size_t field_end(std::string_view pattern, size_t at) {
    int open = 1;
    for (; at < pattern.size(); ++at) {
      open += pattern[at] == '{' ? 1 : pattern[at] == '}' ? -1 : 0;
      if (open == 0) return at;
    }
    return std::string_view::npos;
  }

  Result<std::string> field(std::string_view inside, int depth) {
    const size_t mark = inside.find_first_of("!:");
    std::string_view name = inside.substr(0, mark);
    std::string_view spec;
    char conversion = '\0';
    if (mark != std::string_view::npos) {
      spec = inside.substr(mark + 1);
      if (inside[mark] == '!') {
        if (spec.empty() || (spec.size() > 1 && spec[1] != ':'))
          return type_error("expected ':' after conversion specifier");
        conversion = spec[0];
        spec = spec.size() > 1 ? spec.substr(2) : std::string_view();
      }
    }
    TRY(const Value value, named(name));
    TRY(const std::string whole_spec, run(spec, depth + 1));
    if (conversion == '\0') return formatted(value, whole_spec);
    if (conversion != 's' && conversion != 'r' && conversion != 'a')
      return type_error(std::string("Unknown conversion specifier ") + conversion);
    TRY(std::string text, conversion == 's' ? str_of(runtime_, value) : repr_of(runtime_, value));
    if (conversion == 'a') text = ascii_only(text);
    return formatted(Value::text(std::move(text)), whole_spec);
  }

  Result<std::string> formatted(const Value& value, std::string_view spec) {
    if (!markup_) return format_value(runtime_, value, spec);
    if (value.is_markup()) {
      if (!spec.empty()) return type_error("Unsupported format specification for Markup.");
      return value.string();
    }
    TRY(const std::string text, format_value(runtime_, value, spec));
    return html_escaped(text);
  }

  // "", "0", "name", "name.attribute[item]…"
  Result<Value> named(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    TRY(Value value, argument(name.substr(0, end), end == name.size()));
    for (size_t at = end; at < name.size();) {
      if (name[at] == '.') {
        const size_t next = std::min(name.find_first_of(".[", at + 1), name.size());
        TRY(value, get_attribute(runtime_, value, name.substr(at + 1, next - at - 1)));
        at = next;
      } else {
        const size_t close = name.find(']', at);
        if (name[at] != '[' || close == std::string_view::npos)
          return type_error("Missing ']' in format string");
        const std::string_view key = name.substr(at + 1, close - at - 1);
        int64_t index = 0;
        const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), index);
        const bool whole = error == std::errc() && stop == key.data() + key.size();
        TRY(value, get_item(runtime_, value, whole ? Value::integer(index) : Value::text(std::string(key))));
        at = close + 1;
      }
    }
    return value;
  }

  // As string.Formatter: numbers are given by count or by hand, a number with something after it either way.
  Result<Value> argument(std::string_view name, bool is_whole_name) {
    size_t index = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_number = error == std::errc() && stop == name.data() + name.size();
    if (is_whole_name && (name.empty() || is_number)) {
      const bool counted = name.empty();
      if (counted ? by_hand_ : next_ > 0)
        return type_error("cannot switch between manual field specification and automatic field numbering");
      by_hand_ = !counted;
      if (counted) index = next_++;
    } else if (!is_number) {
      for (const auto& [known, value] : arguments_.named)
        if (known == name) return value;
      return type_error(quoted(name));
    }
    if (index >= arguments_.positional.size())
      return type_error("Replacement index " + std::to_string(index) +
                        " out of range for positional args tuple");
    return arguments_.positional[index];
  }

  Runtime& runtime_;
  const Arguments& arguments_;
  bool markup_;
  size_t next_ = 0;
  bool by_hand_ = false;
};

}  // namespace

Result<std::string> format_value(Runtime& runtime, const Value& value, std::string_view spec) {
  if (spec.empty()) return str_of(runtime, value);
  TRY(NumberFormat format, parse_format(spec));
  TRY_DONE(runtime.budget.made(static_cast<size_t>(format.width)));
  if (value.is_number() && !(value.is(Kind::boolean) && format.type == '\0'))
    return format_number(value, format);
  if (!value.is(Kind::text) && !value.is(Kind::boolean))
    return type_error("unsupported format string passed to " + type_name(value) + ".__format__");
  if (value.is(Kind::boolean)) return format_number(value, format);
  if (format.type != '\0' && format.type != 's') return bad_type(format.type, value);
  if (format.grouping != '\0')
    return type_error(std::string("Cannot specify '") + format.grouping + "' with 's'.");
  if (format.sign != '-') return type_error("Sign not allowed in string format specifier");
  if (format.align == '=') {
    if (format.fill != "0") return type_error("'=' alignment not allowed in string format specifier");
    format.align = '<';
  }
  return filled("", cut(value.string(), format.precision), format, '<');
}

Result<Value> format_percent(Runtime& runtime, const Value& pattern, const Value& values) {
  return PercentFormatter(runtime, pattern, values).run();
}

Result<Value> format_braces(Runtime& runtime, const Value& pattern, const Arguments& arguments) {
  BraceFormatter formatter(runtime, arguments, pattern.is_markup());
  TRY(std::string text, formatter.run(pattern.string(), 0));
  return made_as(runtime, std::move(text), pattern.is_markup());
}

}  // namespace holdfast::jinja
