#include "jinja/number_format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "jinja/characters.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

Result<int> number_at(std::string_view spec, size_t& at) {
  int out = 0;
  for (; at < spec.size() && spec[at] >= '0' && spec[at] <= '9'; ++at) {
    out = out * 10 + (spec[at] - '0');
    if (out > format_width_max) return fail(Reason::bad_request, "the width of a format is too large");
  }
  return out;
}

}  // namespace

Result<NumberFormat> parse_format(std::string_view spec) {
  NumberFormat out;
  size_t at = 0;
  bool fill_given = false;
  const size_t first = spec.empty() ? 0 : character_bytes(spec);
  if (spec.size() > first && is_align(spec[first])) {
    out.fill = std::string(spec.substr(0, first));
    out.align = spec[first];
    fill_given = true;
    at = first + 1;
  } else if (!spec.empty() && is_align(spec[0])) {
    out.align = spec[0];
    at = 1;
  }
  const auto now = [&] { return at < spec.size() ? spec[at] : '\0'; };
  if (now() == '+' || now() == '-' || now() == ' ') out.sign = spec[at++];
  if (now() == '#') {
    out.alternate = true;
    ++at;
  }
  if (now() == '0' && !fill_given) {
    if (out.align == '\0') out.align = '=';
    out.fill = "0";
    ++at;
  }
  TRY(out.width, number_at(spec, at));
  if (now() == ',' || now() == '_') out.grouping = spec[at++];
  if (now() == '.') {
    const size_t start = ++at;
    TRY(out.precision, number_at(spec, at));
    if (at == start) return fail(Reason::bad_request, "Format specifier missing precision");
  }
  if (at < spec.size()) out.type = spec[at++];
  if (at != spec.size()) return fail(Reason::bad_request, "Invalid format specifier");
  return out;
}

std::string sign_of(bool negative, char sign) {
  if (negative) return "-";
  return sign == '-' ? "" : std::string(1, sign);
}

std::string real_digits(double magnitude, const NumberFormat& format) {
  const char type = format.type;
  if (std::isnan(magnitude) || std::isinf(magnitude)) {
    const bool upper = type == 'F' || type == 'E' || type == 'G';
    std::string text = std::isnan(magnitude) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf";
    return type == '%' ? text + "%" : text;
  }
  if (type == '\0' && !format.precision) return float_text(magnitude);
  const double number = type == '%' ? magnitude * 100 : magnitude;
  const char letter = type == '%' ? 'f' : type == '\0' || type == 'n' ? 'g' : type;
  const std::string pattern = std::string("%") + (format.alternate ? "#" : "") + ".*" + letter;
  const int precision = format.precision.value_or(6);
  const int size = std::snprintf(nullptr, 0, pattern.c_str(), precision, number);
  std::string out(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(out.data(), out.size(), pattern.c_str(), precision, number);
  out.pop_back();
  if (type == '\0' && out.find_first_of(".e") == std::string::npos) out += ".0";
  if (type == '%') out += '%';
  return out;
}

std::string grouped(std::string digits, const NumberFormat& format, size_t least) {
  if (format.grouping == '\0') return digits;
  const bool binary =
      format.type != '\0' && std::string_view("boxX").find(format.type) != std::string_view::npos;
  const size_t group = binary ? 4 : 3;
  size_t end = 0;
  while (end < digits.size() && (binary || (digits[end] >= '0' && digits[end] <= '9'))) ++end;
  const std::string rest = digits.substr(end);
  digits.resize(end);
  least -= std::min(least, rest.size());
  std::string out;  // Backwards, group by group: a width may be a hundred thousand.
  while (true) {
    const size_t size = std::min(group, std::max<size_t>({digits.size(), least, 1}));
    for (size_t i = 0; i < size; ++i) {
      out += digits.empty() ? '0' : digits.back();
      if (!digits.empty()) digits.pop_back();
    }
    least -= std::min(least, size);
    if (digits.empty() && least == 0) break;
    out += format.grouping;
    least -= std::min<size_t>(least, 1);
  }
  std::reverse(out.begin(), out.end());
  return out + rest;
}

std::string filled(std::string_view sign, std::string_view text, const NumberFormat& format,
                   char default_align) {
  const size_t count = character_count(sign) + character_count(text);
  const size_t width = static_cast<size_t>(format.width);
  const size_t missing = width > count ? width - count : 0;
  const char align = format.align == '\0' ? default_align : format.align;
  const size_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string out;
  const auto fill = [&](size_t times) {
    for (size_t i = 0; i < times; ++i) out += format.fill;
  };
  if (align == '=') {
    out += sign;
    fill(missing);
    return out += text;
  }
  fill(before);
  out += sign;
  out += text;
  fill(missing - before);
  return out;
}

}  // namespace holdfast::jinja
