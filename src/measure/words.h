#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::measure {

// Words between white space, as Python's str.split() finds them in UTF-8.
std::vector<std::string> split_words(std::string_view text);
// Code points, one string each.
std::vector<std::string> split_characters(std::string_view text);

// How often each row of `order` neighbours occurs; neighbours are joined by a byte that text does not hold.
using Ngrams = std::map<std::string, size_t>;
Ngrams count_ngrams(const std::vector<std::string>& tokens, size_t order);
size_t common_ngrams(const Ngrams& left, const Ngrams& right);  // Counts clipped to the smaller side.

}  // namespace holdfast::measure
