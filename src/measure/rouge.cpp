#include "measure/rouge.h"

#include <algorithm>
#include <set>

#include "measure/words.h"

namespace holdfast::measure {
namespace {

using Tokens = std::vector<std::string>;

Tokens tokens_of(std::string_view text) {
  std::string clean;
  for (size_t i = 0; i < text.size(); ++i) {
    // The two letters beyond ASCII whose small forms are within: I with a dot, and the sign of kelvin.
    if (text.substr(i).starts_with("\xE2\x84\xAA")) {
      clean += 'k';
      i += 2;
      continue;
    }
    if (text.substr(i).starts_with("\xC4\xB0")) clean += 'i';
    const char c = text[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    clean += (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ? lower : ' ';
  }
  return split_words(clean);
}

Rouge score(size_t common, size_t predicted, size_t wanted) {
  Rouge out;
  out.precision = static_cast<double>(common) / static_cast<double>(std::max<size_t>(predicted, 1));
  out.recall = static_cast<double>(common) / static_cast<double>(std::max<size_t>(wanted, 1));
  if (out.precision + out.recall > 0) out.f1 = 2 * out.precision * out.recall / (out.precision + out.recall);
  return out;
}

using Table = std::vector<std::vector<uint32_t>>;

Table common_lengths(const Tokens& target, const Tokens& prediction) {
  Table table(target.size() + 1, std::vector<uint32_t>(prediction.size() + 1));
  for (size_t i = 1; i <= target.size(); ++i)
    for (size_t j = 1; j <= prediction.size(); ++j)
      table[i][j] = target[i - 1] == prediction[j - 1] ? table[i - 1][j - 1] + 1
                                                       : std::max(table[i - 1][j], table[i][j - 1]);
  return table;
}

// Places in `target` of one longest common subsequence; of several the one that rouge-score reads out.
void add_common_places(const Tokens& target, const Tokens& prediction, std::set<size_t>& places) {
  const Table table = common_lengths(target, prediction);
  size_t i = target.size(), j = prediction.size();
  while (i > 0 && j > 0) {
    if (target[i - 1] == prediction[j - 1]) {
      places.insert(i - 1);
      --i;
      --j;
    } else if (table[i][j - 1] > table[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Tokens> sentences_of(std::string_view text) {
  std::vector<Tokens> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) out.push_back(tokens_of(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

template <class Score>
Rouge best_of(const std::vector<std::string>& targets, Score&& score_one) {
  Rouge best;
  bool first = true;
  for (const std::string& target : targets) {
    const Rouge one = score_one(target);
    if (first || one.f1 > best.f1) best = one;
    first = false;
  }
  return best;
}

}  // namespace

Rouge rouge_n(std::string_view target, std::string_view prediction, size_t order) {
  const Ngrams wanted = count_ngrams(tokens_of(target), order),
               found = count_ngrams(tokens_of(prediction), order);
  size_t wanted_count = 0, found_count = 0;
  for (const auto& [key, count] : wanted) wanted_count += count;
  for (const auto& [key, count] : found) found_count += count;
  return score(common_ngrams(wanted, found), found_count, wanted_count);
}

Rouge rouge_l(std::string_view target, std::string_view prediction) {
  const Tokens wanted = tokens_of(target), found = tokens_of(prediction);
  if (wanted.empty() || found.empty()) return {};
  return score(common_lengths(wanted, found).back().back(), found.size(), wanted.size());
}

Rouge rouge_l_sum(std::string_view target, std::string_view prediction) {
  const auto wanted = sentences_of(target), found = sentences_of(prediction);
  std::map<std::string, size_t> left_wanted, left_found;
  size_t wanted_count = 0, found_count = 0, hits = 0;
  for (const Tokens& sentence : wanted)
    for (const std::string& token : sentence) ++left_wanted[token], ++wanted_count;
  for (const Tokens& sentence : found)
    for (const std::string& token : sentence) ++left_found[token], ++found_count;
  if (wanted_count == 0 || found_count == 0) return {};
  for (const Tokens& sentence : wanted) {
    std::set<size_t> places;
    for (const Tokens& other : found) add_common_places(sentence, other, places);
    for (const size_t place : places) {
      // A token counts as often as both sides have it.
      size_t &ours = left_wanted[sentence[place]], &theirs = left_found[sentence[place]];
      if (ours == 0 || theirs == 0) continue;
      ++hits;
      --ours;
      --theirs;
    }
  }
  return score(hits, found_count, wanted_count);
}

Rouge rouge_n(const std::vector<std::string>& targets, std::string_view prediction, size_t order) {
  return best_of(targets, [&](const std::string& target) { return rouge_n(target, prediction, order); });
}

Rouge rouge_l(const std::vector<std::string>& targets, std::string_view prediction) {
  return best_of(targets, [&](const std::string& target) { return rouge_l(target, prediction); });
}

}  // namespace holdfast::measure
