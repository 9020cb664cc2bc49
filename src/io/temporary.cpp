#include "io/temporary.h"

#include <algorithm>

namespace holdfast::io {
namespace {

constexpr std::string_view mark = ".new-";
constexpr size_t random_bytes = 8;

}  // namespace

std::string temporary_name(Random& random, std::string_view stem) {
  return std::string(stem) + std::string(mark) + random.hex(random_bytes);
}

bool is_temporary_name(std::string_view name) {
  const size_t at = name.rfind(mark);
  if (at == std::string_view::npos) return false;
  const std::string_view digits = name.substr(at + mark.size());
  return digits.size() == 2 * random_bytes && std::all_of(digits.begin(), digits.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace holdfast::io
