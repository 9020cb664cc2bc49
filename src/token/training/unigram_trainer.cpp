#include "token/training/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "token/training/substrings.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr double not_a_score = std::numeric_limits<double>::quiet_NaN();
constexpr double frequency_min = 0.5;
constexpr int rounds_max = 1000;

double digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 1.0 / 2;
  const double xx = 1 / x, xx2 = xx * xx, xx4 = xx2 * xx2;
  return result + std::log(x) + (1.0 / 24) * xx2 - 7.0 / 960 * xx4 + (31.0 / 8064) * xx4 * xx2 -
         (127.0 / 30720) * xx4 * xx4;
}

std::string text_of(char32_t code) {
  std::string out;
  append_utf8(out, code);
  return out;
}

class Trainer {
 public:
  Trainer(std::span<const WordCount> words, const UnigramTraining& options)
      : words_(words), options_(options) {}

  Result<TrainedUnigram> run() {
    TRY(std::vector<TrainedPiece> pieces, seed());
    const std::set<std::string> required = required_characters();
    const size_t specials = options_.special_tokens.size() + (needs_own_unknown() ? 1 : 0);
    if (required.size() > options_.vocabulary_size || specials > options_.vocabulary_size)
      return fail(Reason::bad_request, "the vocabulary is too small for the characters of the corpus");
    const size_t wanted = options_.vocabulary_size * 11 / 10;
    for (int round = 0; round < rounds_max; ++round) {
      for (uint32_t i = 0; i < options_.sub_iterations; ++i) pieces = maximized(pieces, expectation(pieces));
      if (pieces.size() <= wanted) break;
      const size_t before = pieces.size();
      pieces = pruned(pieces, wanted);
      if (pieces.size() == before) break;
    }
    return finished(pieces, required);
  }

 private:
  bool needs_own_unknown() const {
    return options_.unknown_token && std::ranges::find(options_.special_tokens, *options_.unknown_token) ==
                                         options_.special_tokens.end();
  }

  std::set<std::string> required_characters() const {
    std::set<std::string> out;
    for (const WordCount& word : words_)
      for_each_code_point(word.word, [&](char32_t code, size_t, size_t) { out.insert(text_of(code)); });
    for (const char32_t code : options_.initial_alphabet) out.insert(text_of(code));
    return out;
  }

  // Characters by falling count, then substrings by falling count × length; scores are log probabilities.
  Result<std::vector<TrainedPiece>> seed() const {
    std::map<char32_t, uint32_t> characters;
    for (const WordCount& word : words_)
      for_each_code_point(word.word, [&](char32_t code, size_t, size_t) {
        if (code != 0) characters[code] += static_cast<uint32_t>(word.count);
      });
    std::vector<std::pair<uint32_t, char32_t>> by_count;
    for (const auto& [code, count] : characters) by_count.emplace_back(count, code);
    std::ranges::sort(by_count, std::greater<>());
    std::vector<TrainedPiece> out = {{"<UNK>", not_a_score}};
    for (const auto& [count, code] : by_count) out.push_back({text_of(code), static_cast<double>(count)});
    TRY(const std::vector<Substring> found, common_substrings(words_, options_.piece_length_max));
    for (const Substring& substring : found) {
      if (out.size() > options_.seed_pieces_max) break;
      out.push_back({substring.text, static_cast<double>(substring.score)});
    }
    double sum = 0;
    for (size_t id = 1; id < out.size(); ++id) sum += out[id].score;
    const double log_sum = std::log(sum);
    for (size_t id = 1; id < out.size(); ++id) out[id].score = std::log(out[id].score) - log_sum;
    return out;
  }

  std::vector<double> expectation(const std::vector<TrainedPiece>& pieces) const {
    const PieceTree tree(pieces);
    std::vector<double> expected(pieces.size(), 0);
    for (const WordCount& word : words_)
      Lattice(word.word, tree).add_expected(static_cast<double>(word.count), expected);
    return expected;
  }

  static std::vector<TrainedPiece> maximized(const std::vector<TrainedPiece>& pieces,
                                             const std::vector<double>& expected) {
    std::vector<TrainedPiece> out = {{pieces[0].text, not_a_score}};
    double sum = 0;
    for (size_t id = 1; id < pieces.size(); ++id) {
      if (!(expected[id] >= frequency_min)) continue;
      out.push_back({pieces[id].text, expected[id]});
      sum += expected[id];
    }
    // A sparse prior: Liang and others, Structured Bayesian Nonparametric Models with Variational Inference.
    const double log_sum = digamma(sum);
    for (size_t id = 1; id < out.size(); ++id) out[id].score = digamma(out[id].score) - log_sum;
    return out;
  }

  // How each piece would be written without itself; empty: it stays.
  static std::vector<std::vector<uint32_t>> alternatives(const PieceTree& tree,
                                                         std::vector<bool>& always_keep) {
    std::vector<std::vector<uint32_t>> out(tree.pieces().size());
    for (size_t id = 1; id < tree.pieces().size(); ++id) {
      const auto ways = Lattice(tree.pieces()[id].text, tree).two_best();
      if (ways.size() < 2) continue;
      always_keep[id] = ways[0].size() < 2;
      if (ways[0].size() == 1) out[id] = ways[1];
    }
    return out;
  }

  std::vector<TrainedPiece> pruned(const std::vector<TrainedPiece>& pieces, size_t wanted) const {
    const PieceTree tree(pieces);
    std::vector<bool> always_keep(pieces.size(), true);
    const auto instead = alternatives(tree, always_keep);
    std::vector<double> frequency(pieces.size(), 0), held(pieces.size(), 0);
    double words_sum = 0;
    for (const WordCount& word : words_) {
      const auto count = static_cast<double>(word.count);
      words_sum += count;
      for (const uint32_t id : Lattice(word.word, tree).best()) {
        frequency[id] += count;
        held[id] += count;
      }
    }
    double sum = 0;
    for (const double one : frequency) sum += one;
    const double log_sum = std::log(sum);

    std::vector<TrainedPiece> out = {pieces[0]};
    std::vector<std::pair<size_t, double>> candidates;
    for (size_t id = 1; id < pieces.size(); ++id) {
      if (frequency[id] == 0 && !always_keep[id]) continue;
      if (instead[id].empty()) {
        out.push_back(pieces[id]);
        continue;
      }
      if (held[id] == 0 || std::isnan(held[id])) continue;
      const double share = held[id] / words_sum;
      const double now = std::log(frequency[id]) - log_sum;
      // The number of all pieces where the paper's formula has that of this piece's alternatives: as the
      // reference library computes it.
      const double log_sum_then = std::log(sum + frequency[id] * static_cast<double>(instead.size() - 1));
      double then = 0;
      for (const uint32_t other : instead[id])
        then += std::log(frequency[other] + frequency[id]) - log_sum_then;
      candidates.emplace_back(id, share * (now - then));
    }
    const auto shrunk = static_cast<size_t>(static_cast<double>(pieces.size()) * options_.shrinking_factor);
    const size_t size = std::max(wanted, shrunk);
    std::ranges::stable_sort(candidates, std::greater<>(), &std::pair<size_t, double>::second);
    for (const auto& [id, loss] : candidates) {
      if (out.size() == size) break;
      out.push_back(pieces[id]);
    }
    return out;
  }

  TrainedUnigram finished(const std::vector<TrainedPiece>& pieces,
                          const std::set<std::string>& required) const {
    double least = std::numeric_limits<double>::infinity();
    std::unordered_map<std::string, double> scores;
    for (size_t id = 1; id < pieces.size(); ++id) {
      least = std::min(least, pieces[id].score);
      scores[pieces[id].text] = pieces[id].score;
    }
    double penalty = 0;
    std::vector<TrainedPiece> kept;
    std::unordered_set<std::string> inserted = {"<UNK>"};
    for (const std::string& character : required) {
      inserted.insert(character);
      if (const auto found = scores.find(character); found != scores.end()) {
        kept.push_back({character, found->second});
      } else {
        kept.push_back({character, least + penalty});
        penalty += 0.0001;
      }
    }
    TrainedUnigram out;
    for (const std::string& token : options_.special_tokens) out.pieces.push_back({token, 0});
    if (needs_own_unknown()) out.pieces.insert(out.pieces.begin(), {*options_.unknown_token, 0});
    if (options_.unknown_token)
      for (size_t id = 0; id < out.pieces.size() && !out.unknown_id; ++id)
        if (out.pieces[id].text == *options_.unknown_token) out.unknown_id = static_cast<uint32_t>(id);
    const size_t room = options_.vocabulary_size - out.pieces.size();
    for (size_t id = 1; id < pieces.size(); ++id) {
      if (!inserted.insert(pieces[id].text).second) continue;
      kept.push_back({pieces[id].text, std::isnan(pieces[id].score) ? 0 : pieces[id].score});
      if (kept.size() == room) break;
    }
    std::ranges::stable_sort(kept, std::greater<>(), &TrainedPiece::score);
    for (TrainedPiece& piece : kept) out.pieces.push_back(std::move(piece));
    return out;
  }

  std::span<const WordCount> words_;
  const UnigramTraining& options_;
};

}  // namespace

Result<TrainedUnigram> train_unigram(std::span<const WordCount> words, const UnigramTraining& options) {
  if (words.empty()) return fail(Reason::bad_request, "the corpus has no words to train on");
  return Trainer(words, options).run();
}

}  // namespace holdfast::token
