#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::token {

// Pairs of tokens in the order in which they are merged; views of the vocabulary's texts.
using Merges = std::vector<std::pair<std::string_view, std::string_view>>;

// The merges that a vocabulary without them implies: each way to cut a token into two others. `tokens` are in
// order of id; of equal ones the last counts. With `scores` (one a token) better ones come first, without,
// lower ids. As generate_merges in transformers' convert_slow_tokenizer.py does, including its order of ties:
// cuts of one token by the ids of their parts, then by length of the parts in code points.
Merges merges_of_vocabulary(std::span<const std::string> tokens,
                            std::optional<std::span<const double>> scores);

// The same for byte tokens with ranks (tiktoken): cuts at every byte, in order of rank only.
Merges merges_of_ranks(const std::vector<std::pair<std::string, uint32_t>>& ranks);

}  // namespace holdfast::token
