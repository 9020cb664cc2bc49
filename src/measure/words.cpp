#include "measure/words.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace holdfast::measure {
namespace {

// Bytes of the white space that text starts with, 0 for none.
size_t space_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first == ' ' || (first >= 0x09 && first <= 0x0d) || (first >= 0x1c && first <= 0x1f)) return 1;
  if (first == 0xc2 && text.size() > 1 && (byte(1) == 0x85 || byte(1) == 0xa0)) return 2;
  if (text.starts_with("\xe1\x9a\x80") || text.starts_with("\xe3\x80\x80") ||
      text.starts_with("\xe2\x81\x9f"))
    return 3;
  if (!text.starts_with("\xe2\x80") || text.size() < 3) return 0;
  const unsigned char third = byte(2);  // U+2000 to U+200A, U+2028, U+2029, U+202F
  return (third >= 0x80 && third <= 0x8a) || third == 0xa8 || third == 0xa9 || third == 0xaf ? 3 : 0;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (size_t at = 0; at < text.size();) {
    const size_t space = space_bytes(text.substr(at));
    if (space == 0) {
      word += text[at++];
      continue;
    }
    if (!word.empty()) out.push_back(std::exchange(word, {}));
    at += space;
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

std::vector<std::string> split_characters(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = std::max<size_t>(1, utf8_length(text.substr(at)));
    out.emplace_back(text.substr(at, bytes));
    at += bytes;
  }
  return out;
}

Ngrams count_ngrams(const std::vector<std::string>& tokens, size_t order) {
  Ngrams out;
  for (size_t at = 0; at + order <= tokens.size(); ++at) {
    std::string key;
    for (size_t i = 0; i < order; ++i) key += tokens[at + i] + '\xff';
    ++out[key];
  }
  return out;
}

size_t common_ngrams(const Ngrams& left, const Ngrams& right) {
  size_t out = 0;
  for (const auto& [key, count] : left)
    if (const auto found = right.find(key); found != right.end()) out += std::min(count, found->second);
  return out;
}

}  // namespace holdfast::measure
