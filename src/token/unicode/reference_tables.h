#pragma once

#include <span>

namespace holdfast::token {

struct CodeRange {
  char32_t first, last;
};
struct CodePair {
  char32_t from, to;
};

// Sorted. Where the reference tokenizer's tables differ from utf8proc's, or are none of a published version.
extern const std::span<const CodeRange> cleaned_away;      // Dropped by BertNormalizer's clean_text.
extern const std::span<const CodeRange> bert_punctuation;  // Split off by BertPreTokenizer.
extern const std::span<const CodeRange> nonspacing_marks;  // Dropped by BertNormalizer's strip_accents.
extern const std::span<const CodeRange> unordered_marks;   // Combining class 0 in the reference's NFD.
extern const std::span<const CodePair> late_capitals;      // Lower case of letters newer than utf8proc.

}  // namespace holdfast::token
