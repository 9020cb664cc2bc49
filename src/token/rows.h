#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "token/normalized_text.h"

namespace holdfast::token {

enum class OwnTexts : uint8_t { keep, drop };

// Rows under construction: ids, and if wanted where they came from.
struct Rows {
  std::vector<uint32_t> ids;
  std::vector<Span> offsets;  // Code points of the input.
  std::vector<int32_t> words;
  // Rows whose text is not that of the vocabulary's token.
  std::vector<std::pair<size_t, std::string>> texts;
  OwnTexts own_texts = OwnTexts::keep;  // Whether `texts` are wanted.
};

}  // namespace holdfast::token
