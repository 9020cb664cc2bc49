#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "token/fast/code_flags.h"
#include "token/fast/pair_table.h"
#include "token/fast/unknown_symbols.h"

namespace holdfast::token {

// What merging begins with: the symbols of a text, which are bytes or characters of several bytes, and what
// stands for characters that are none. Filled once, then constant.
class TextSymbols {
 public:
  TextSymbols() { bytes_.fill(PairTable::none); }
  explicit TextSymbols(const UnknownSymbols& unknown) : TextSymbols() { unknown_ = unknown; }

  // A byte, or a character of several.
  void put(uint32_t id, std::string_view symbol);

  // By byte, or none.
  const std::array<uint32_t, 256>& bytes() const { return bytes_; }
  uint32_t of_wide(uint32_t code) const {
    const size_t page = code >> page_bits;
    return page < pages_.size() ? wide_[size_t{pages_[page]} << page_bits | (code & page_mask)]
                                : PairTable::none;
  }
  const UnknownSymbols& unknown() const { return unknown_; }

  // What was read of a text.
  struct Read {
    size_t bytes = 0;
    bool refused = false;  // The next character is no symbol, and nothing stands for it.
    bool any_wide = false;
  };
  enum class Unknown : uint8_t { refuse, put };

  // put(id, begin) is asked for each, until it answers false.
  template <class Put>
  Read read(std::string_view text, Put put, Unknown unknown = Unknown::put) const {
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    Read out;
    uint32_t last = PairTable::none;
    while (out.bytes < text.size()) {
      const uint8_t* const at = begin + out.bytes;
      uint32_t id = bytes_.data()[*at];
      size_t size = 1;
      if (id == PairTable::none) [[unlikely]] {
        size = bytes_of_lead(*at);
        const bool odd = (*at & 0xC0U) == 0x80U || out.bytes + size > text.size();
        id = odd || size == 1 ? PairTable::none : of_wide(decode_wide(at).code);
        if (id != PairTable::none) {
          out.any_wide = true;
        } else if (odd || unknown == Unknown::refuse || unknown_.way == UnknownSymbols::Way::refuse) {
          out.refused = true;
          return out;
        } else if (unknown_.way == UnknownSymbols::Way::bytes) {
          for (size_t i = 0; i < size; ++i)
            if (!put(unknown_.bytes[at[i]], out.bytes + i)) return out;
          out.bytes += size;
          continue;
        } else {
          id = unknown_.one;
          if (unknown_.way == UnknownSymbols::Way::one_for_all && last == id) {
            out.bytes += size;
            continue;
          }
        }
      }
      if (!put(id, out.bytes)) return out;
      last = id;
      out.bytes += size;
    }
    return out;
  }

 private:
  static constexpr unsigned page_bits = 6;
  static constexpr uint32_t page_mask = (1U << page_bits) - 1;

  static size_t bytes_of_lead(uint8_t lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }

  std::array<uint32_t, 256> bytes_;
  UnknownSymbols unknown_;
  std::vector<uint16_t> pages_;  // Of code points; the first is of none that is known.
  std::vector<uint32_t> wide_;
};

}  // namespace holdfast::token
