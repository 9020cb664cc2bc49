#pragma once

#include <array>
#include <cstdint>

#include "token/fast/pair_table.h"

namespace holdfast::token {

// What stands for a character that is no symbol: its bytes, or one token, or nothing, which refuses the text.
struct UnknownSymbols {
  enum class Way : uint8_t { refuse, bytes, one_each, one_for_all };  // For all of neighbours.

  Way way = Way::refuse;
  std::array<uint32_t, 256> bytes{};
  uint32_t one = PairTable::none;
};

}  // namespace holdfast::token
