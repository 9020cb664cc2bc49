#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"

namespace holdfast::jinja {

inline constexpr int format_width_max = 100'000;

// What a format specification or a % conversion asks for.
struct NumberFormat {
  std::string fill = " ";
  char align = '\0';  // < > ^ = or none
  char sign = '-';    // - + or space
  bool alternate = false;
  char grouping = '\0';  // , or _
  int width = 0;
  std::optional<int> precision;
  char type = '\0';
};

// "[[fill]align][sign][#][0][width][grouping][.precision][type]".
Result<NumberFormat> parse_format(std::string_view spec);
// The digits of a number with sign and grouping, not yet filled to the width. `type` is one of d b o x X e E
// f F g G % or none (a float's shortest form).
std::string sign_of(bool negative, char sign);
std::string real_digits(double magnitude, const NumberFormat& format);  // Of a number that is not negative.
// Divided into groups of three digits, of four in bases 2, 8 and 16; with zeros before them, divided as well,
// until there are `least` characters.
std::string grouped(std::string digits, const NumberFormat& format, size_t least);
std::string filled(std::string_view sign, std::string_view text, const NumberFormat& format,
                   char default_align);

}  // namespace holdfast::jinja
