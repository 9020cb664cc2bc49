#include "token/training/substrings.h"

#include <algorithm>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr size_t characters_max = size_t{1} << 31U;

// The suffixes of all words, sorted as far as `length_max` and one character, each up to its word's end.
class Suffixes {
 public:
  Suffixes(std::span<const WordCount> words, size_t length_max) : depth_(length_max + 1) {
    for (const WordCount& word : words) {
      if (word.word.empty()) continue;
      for_each_code_point(word.word, [&](char32_t code, size_t, size_t) { codes_.push_back(code); });
      codes_.push_back(0);
    }
  }

  size_t size() const { return codes_.size(); }

  void sort() {
    for (uint32_t at = 0; at < codes_.size(); ++at)
      if (codes_[at] != 0) order_.push_back(at);
    std::ranges::sort(order_, [&](uint32_t a, uint32_t b) { return compare(a, b) < 0; });
  }

  // Walks the intervals of common prefixes: take(begin of one suffix, length, how many).
  template <class Take>
  void each_node(Take take) const {
    struct Open {
      size_t length, first;
    };
    std::vector<Open> open;
    for (size_t i = 1; i <= order_.size(); ++i) {
      const size_t common = i < order_.size() ? common_prefix(order_[i - 1], order_[i]) : 0;
      size_t first = i - 1;
      while (!open.empty() && open.back().length > common) {
        first = open.back().first;
        take(order_[first], open.back().length, i - first);
        open.pop_back();
      }
      if (common > 0 && (open.empty() || open.back().length < common)) open.push_back({common, first});
    }
  }

  // Empty where the end of a word is within.
  std::u32string_view text(uint32_t at, size_t length) const {
    const std::u32string_view text = std::u32string_view(codes_).substr(at, length);
    return text.find(U'\0') == std::u32string_view::npos ? text : std::u32string_view();
  }

 private:
  // Ends of words are equal to each other; what is behind them does not count.
  int compare(uint32_t a, uint32_t b) const {
    for (size_t i = 0; i < depth_; ++i) {
      const char32_t left = codes_[a + i], right = codes_[b + i];
      if (left != right) return left < right ? -1 : 1;
      if (left == 0) return 0;
    }
    return 0;
  }
  size_t common_prefix(uint32_t a, uint32_t b) const {
    size_t length = 0;
    while (length < depth_ && codes_[a + length] == codes_[b + length]) {
      ++length;
      if (codes_[a + length - 1] == 0) break;
    }
    return length;
  }

  size_t depth_;
  std::u32string codes_;
  std::vector<uint32_t> order_;
};

std::string to_utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t code : text) append_utf8(out, code);
  return out;
}

}  // namespace

Result<std::vector<Substring>> common_substrings(std::span<const WordCount> words, size_t length_max) {
  size_t bytes = 0;
  for (const WordCount& word : words) bytes += word.word.size() + 1;
  if (bytes > characters_max) return fail(Reason::input_too_long, "the corpus has too many different words");
  Suffixes suffixes(words, length_max);
  suffixes.sort();
  struct Found {
    uint32_t score;
    std::u32string_view text;
  };
  std::vector<Found> found;
  suffixes.each_node([&](uint32_t at, size_t length, size_t count) {
    if (length < 2 || length > length_max) return;
    const std::u32string_view text = suffixes.text(at, length);
    if (!text.empty()) found.push_back({static_cast<uint32_t>(count * length), text});
  });
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return a.score != b.score ? a.score > b.score : a.text > b.text;
  });
  std::vector<Substring> out;
  out.reserve(found.size());
  for (const Found& one : found) out.push_back({to_utf8(one.text), one.score});
  return out;
}

}  // namespace holdfast::token
