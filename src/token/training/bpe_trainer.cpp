#include "token/training/bpe_trainer.h"

#include <algorithm>
#include <limits>
#include <map>
#include <queue>
#include <unordered_map>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

using Pair = std::pair<uint32_t, uint32_t>;

struct PairHash {
  size_t operator()(const Pair& pair) const {
    return ((uint64_t{pair.first} << 32U) | pair.second) * 0x9E3779B97F4A7C15ULL >> 7U;
  }
};

struct Symbol {
  uint32_t id = 0;
  size_t length = 1;  // In characters.
};
using Word = std::vector<Symbol>;

// A pair in the queue, with the words it was seen in since it was queued last. A pair may be queued several
// times, with a count that is no longer true.
struct Candidate {
  uint64_t count = 0;
  Pair pair;
  std::vector<uint32_t> words;

  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

struct Change {
  Pair pair;
  int32_t steps = 0;
};

// Joins each (left, right) of the word into `joined`; tells which neighbourships came and went.
std::vector<Change> merge_in(Word& word, Pair pair, uint32_t joined, size_t length_max) {
  std::vector<Change> changes;
  for (size_t i = 0; i + 1 < word.size(); ++i) {
    if (word[i].id != pair.first || word[i + 1].id != pair.second) continue;
    const Symbol made{joined, word[i].length + word[i + 1].length};
    if (i > 0) {
      changes.push_back({{word[i - 1].id, pair.first}, -1});
      if (word[i - 1].length + made.length < length_max) changes.push_back({{word[i - 1].id, joined}, 1});
    }
    word[i] = made;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    if (i + 1 < word.size()) {
      changes.push_back({{pair.second, word[i + 1].id}, -1});
      if (word[i + 1].length + made.length < length_max) changes.push_back({{joined, word[i + 1].id}, 1});
    }
  }
  return changes;
}

class Trainer {
 public:
  Trainer(std::span<const WordCount> words, const BpeTraining& options) : counts_(words), options_(options) {}

  TrainedBpe run() {
    for (const std::string& token : options_.special_tokens) id_of(token);
    add_alphabet();
    split_words();
    count_pairs();
    merge_all();
    return std::move(out_);
  }

 private:
  uint32_t id_of(const std::string& token) {
    const auto [place, is_new] = ids_.emplace(token, static_cast<uint32_t>(out_.tokens.size()));
    if (is_new) out_.tokens.push_back(token);
    return place->second;
  }

  void add_alphabet() {
    std::map<char32_t, uint64_t> alphabet;
    for (const WordCount& word : counts_)
      for_each_code_point(word.word, [&](char32_t code, size_t, size_t) { alphabet[code] += word.count; });
    for (const char32_t code : options_.initial_alphabet)
      alphabet[code] = std::numeric_limits<uint64_t>::max();
    std::vector<std::pair<uint64_t, char32_t>> kept;
    for (const auto& [code, count] : alphabet) kept.emplace_back(count, code);
    if (options_.limit_alphabet && kept.size() > *options_.limit_alphabet) {
      std::ranges::sort(kept, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
      });
      kept.resize(*options_.limit_alphabet);
    }
    std::ranges::sort(kept, {}, &std::pair<uint64_t, char32_t>::second);
    for (const auto& [count, code] : kept) {
      std::string text;
      append_utf8(text, code);
      id_of(text);
    }
  }

  void split_words() {
    words_.reserve(counts_.size());
    for (const WordCount& count : counts_) {
      Word word;
      for_each_code_point(count.word, [&](char32_t code, size_t at, size_t bytes) {
        std::string text;
        append_utf8(text, code);
        if (!ids_.contains(text)) return;
        if (at > 0 && options_.continuing_subword_prefix) text.insert(0, *options_.continuing_subword_prefix);
        if (at + bytes == count.word.size() && options_.end_of_word_suffix)
          text += *options_.end_of_word_suffix;
        word.push_back({id_of(text), 1});
      });
      words_.push_back(std::move(word));
    }
  }

  void count_pairs() {
    for (uint32_t row = 0; row < words_.size(); ++row) {
      const Word& word = words_[row];
      for (size_t i = 0; i + 1 < word.size(); ++i) {
        const Pair pair{word[i].id, word[i + 1].id};
        pair_counts_[pair] += static_cast<int32_t>(counts_[row].count);
        note(pair, row);
      }
    }
    queue_noted();
  }

  void note(Pair pair, uint32_t row) {
    std::vector<uint32_t>& rows = noted_[pair];
    if (rows.empty() || rows.back() != row) rows.push_back(row);
  }

  void queue_noted() {
    for (auto& [pair, rows] : noted_) {
      const int32_t count = pair_counts_[pair];
      if (count > 0) queue_.push({static_cast<uint64_t>(count), pair, std::move(rows)});
    }
    noted_.clear();
  }

  std::string joined_text(Pair pair) const {
    std::string_view right = out_.tokens[pair.second];
    if (const auto& prefix = options_.continuing_subword_prefix; prefix && right.starts_with(*prefix))
      right.remove_prefix(prefix->size());
    return out_.tokens[pair.first] + std::string(right);
  }

  void merge_all() {
    const size_t length_max = options_.max_token_length.value_or(std::numeric_limits<size_t>::max());
    while (ids_.size() < options_.vocabulary_size && !queue_.empty()) {
      Candidate top = queue_.top();
      queue_.pop();
      const auto count = static_cast<uint64_t>(int64_t{pair_counts_[top.pair]});
      if (top.count != count) {
        top.count = count;
        queue_.push(std::move(top));
        continue;
      }
      if (top.count < 1 || options_.min_frequency > top.count) break;
      const uint32_t joined = id_of(joined_text(top.pair));
      out_.merges.push_back(top.pair);
      for (const uint32_t row : top.words) {
        for (const Change& change : merge_in(words_[row], top.pair, joined, length_max)) {
          pair_counts_[change.pair] += change.steps * static_cast<int32_t>(counts_[row].count);
          if (change.steps > 0) note(change.pair, row);
        }
      }
      queue_noted();
    }
  }

  std::span<const WordCount> counts_;
  const BpeTraining& options_;
  TrainedBpe out_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<Word> words_;
  std::unordered_map<Pair, int32_t, PairHash> pair_counts_;
  std::unordered_map<Pair, std::vector<uint32_t>, PairHash> noted_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

TrainedBpe train_bpe(std::span<const WordCount> words, const BpeTraining& options) {
  TrainedBpe out = Trainer(words, options).run();
  // A pair that was merged again counts from its last time.
  std::map<Pair, size_t> last;
  for (size_t i = 0; i < out.merges.size(); ++i) last[out.merges[i]] = i;
  std::vector<Pair> merges;
  for (size_t i = 0; i < out.merges.size(); ++i)
    if (last[out.merges[i]] == i) merges.push_back(out.merges[i]);
  out.merges = std::move(merges);
  return out;
}

}  // namespace holdfast::token
