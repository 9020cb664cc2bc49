#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace holdfast::observe {

// One input of a request and what was said about it, as numbers: all that drift is measured on. The words are
// keyed digests; the text itself is not kept.
struct InputFeatures {
  double characters = 0;
  std::vector<uint64_t> words;
  std::string label;  // Empty: the answer was no classification.
  double confidence = 0;
};

// The inputs of a body of the task API, TEI or OpenAI ("inputs" or "input": a text, texts, or objects with a
// "text") beside the answer's best labels. Nothing for a body that is none of those; at most inputs_max.
std::vector<InputFeatures> features_of(std::string_view body, std::string_view answer, const Secret& key);

// What a body asks, as one text of at most so many bytes: the first input of those, a prompt, or what a
// chat's user said last; empty where it has none that can be read.
std::string text_of_body(std::string_view body, size_t bytes_max);

inline constexpr size_t inputs_max = 64, words_max = 256;  // Of one request; of one input.

}  // namespace holdfast::observe
