#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::token {

// A short text whose tokens are asked for with those of others: `ids` and `ends` have room for a token a
// byte.
struct BpeJob {
  std::string_view text;
  uint32_t* ids = nullptr;
  uint32_t* ends = nullptr;  // In bytes of the text.
  size_t count = 0;          // Of tokens; 0 where they are not made.
  bool is_done = false;
};

}  // namespace holdfast::token
