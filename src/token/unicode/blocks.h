#pragma once

#include <span>
#include <string_view>

namespace holdfast::token {

struct Block {
  char32_t first, last;
  std::string_view name;  // As "basiclatin".
};

// Unicode 16's blocks in order: https://www.unicode.org/Public/16.0.0/ucd/Blocks.txt.
std::span<const Block> blocks();

}  // namespace holdfast::token
