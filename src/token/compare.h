#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "token/tokenizer.h"

namespace holdfast::token {

// A text on which two tokenizers part: the first token that differs, and what each says there.
struct TextDifference {
  std::string text;
  size_t row = 0;            // Of the encodings; the smaller size where one ends.
  std::string ours, theirs;  // "id token begin..end", "nothing", or an error.
};

// Nothing where both give the same ids, tokens, offsets, types and masks, and decode them to the same text.
std::optional<TextDifference> difference_on(const Tokenizer& one, const Tokenizer& other,
                                            std::string_view text);

// Short texts of many kinds that tell tokenizers apart: languages, code, spaces, digits, controls, emoji.
const std::vector<std::string_view>& telling_texts();

}  // namespace holdfast::token
