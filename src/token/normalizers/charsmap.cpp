#include "token/normalizers/charsmap.h"

#include <cstring>

#include "token/unicode/utf8.h"

namespace holdfast::token {

Result<Charsmap> Charsmap::parse(std::string_view blob) {
  uint32_t bytes = 0;
  if (blob.size() < sizeof bytes)
    return fail(Reason::bad_request, "the tokenizer's precompiled_charsmap is cut short");
  std::memcpy(&bytes, blob.data(), sizeof bytes);
  blob.remove_prefix(sizeof bytes);
  const size_t count = bytes / sizeof(uint32_t);
  if (count * sizeof(uint32_t) > blob.size())
    return fail(Reason::bad_request, "the tokenizer's precompiled_charsmap is cut short");
  Charsmap out;
  out.units_.resize(count);
  if (count > 0) std::memcpy(out.units_.data(), blob.data(), count * sizeof(uint32_t));
  out.texts_ = blob.substr(count * sizeof(uint32_t));
  if (!is_valid_utf8(out.texts_))
    return fail(Reason::bad_request, "the tokenizer's precompiled_charsmap is not UTF-8");
  return out;
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
  const auto offset = [](uint32_t unit) -> size_t { return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U); };
  if (units_.empty()) return std::nullopt;
  size_t node = offset(units_[0]);
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte == 0) break;
    node ^= byte;
    if (node >= units_.size() || (units_[node] & (1U << 31U | 0xFFU)) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset(unit);
    if ((unit >> 8U & 1U) == 0) continue;
    if (node >= units_.size()) break;
    const size_t at = units_[node] & ((1U << 31U) - 1);
    if (at > texts_.size()) break;
    const std::string_view rest = std::string_view(texts_).substr(at);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

}  // namespace holdfast::token
