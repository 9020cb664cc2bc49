#include "token/fast/text_symbols.h"

namespace holdfast::token {

void TextSymbols::put(uint32_t id, std::string_view symbol) {
  const auto* const at = reinterpret_cast<const uint8_t*>(symbol.data());
  if (symbol.size() == 1) {
    bytes_[*at] = id;
    return;
  }
  if (symbol.empty() || (*at & 0xC0U) != 0xC0U || bytes_of_lead(*at) != symbol.size()) return;
  constexpr size_t codes = 0x110000, page = size_t{1} << page_bits;
  const uint32_t code = decode_wide(at).code;
  if (code >= codes) return;
  if (wide_.empty()) {
    pages_.resize(codes / page);
    wide_.resize(page, PairTable::none);
  }
  uint16_t& known = pages_[code >> page_bits];
  if (known == 0) {
    known = static_cast<uint16_t>(wide_.size() / page);
    wide_.resize(wide_.size() + page, PairTable::none);
  }
  wide_[size_t{known} << page_bits | (code & page_mask)] = id;
}

}  // namespace holdfast::token
