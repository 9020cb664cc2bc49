#include "codec/float_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace holdfast::codec {
namespace {

template <class Number>
void append(std::string& out, Number number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

}  // namespace

void append_number(std::string& out, float number) { append(out, number); }
void append_number(std::string& out, double number) { append(out, number); }

void append_floats(std::string& out, std::span<const float> numbers) {
  constexpr size_t usual_bytes = 13;
  out.reserve(out.size() + usual_bytes * numbers.size() + 2);
  out += '[';
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, numbers[i]);
  }
  out += ']';
}

}  // namespace holdfast::codec
