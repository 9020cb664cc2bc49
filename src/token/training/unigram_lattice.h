#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::token {

struct TrainedPiece {
  std::string text;
  double score = 0;  // Log probability.
};

// The pieces of a Unigram model in training, to be found at every place of a text. The first one is the
// unknown piece and is not looked for. Immutable; borrows the pieces.
class PieceTree {
 public:
  explicit PieceTree(std::span<const TrainedPiece> pieces);
  // Calls take(id, bytes) for each piece that `text` begins with, shortest first.
  template <class Take>
  void each_prefix(std::string_view text, Take take) const;
  std::span<const TrainedPiece> pieces() const { return pieces_; }
  double unknown_score() const { return unknown_score_; }

 private:
  struct Node {
    int32_t first_child = -1, next_sibling = -1, id = -1;
    char byte = 0;
  };
  int32_t child_of(int32_t node, char byte) const;

  std::span<const TrainedPiece> pieces_;
  std::vector<Node> nodes_{1};
  std::vector<int32_t> roots_ = std::vector<int32_t>(256, -1);
  double unknown_score_ = 0;
};

// Every way to cut a text into pieces; steps and order of ties are those of the reference library's
// models/unigram/lattice.rs. Used by one thread.
class Lattice {
 public:
  Lattice(std::string_view text, const PieceTree& tree);

  std::vector<uint32_t> best();  // Ids of the best way; empty where there is none.
  // Ids of the two best ways.
  std::vector<std::vector<uint32_t>> two_best();
  // Adds frequency × probability of each piece to `expected`; returns frequency × log likelihood.
  double add_expected(double frequency, std::vector<double>& expected) const;

 private:
  struct Node {
    int64_t id = 0;  // -1: the ends.
    uint32_t begin = 0, end = 0;
    int32_t previous = -1;
    double score = 0, best_score = 0;
  };
  bool fill_best();

  std::string_view text_;
  std::vector<Node> nodes_;                                // 0: the beginning, 1: the end.
  std::vector<std::vector<uint32_t>> beginning_, ending_;  // Nodes by byte.
};

template <class Take>
void PieceTree::each_prefix(std::string_view text, Take take) const {
  if (text.empty()) return;
  int32_t node = roots_[static_cast<unsigned char>(text[0])];
  for (size_t at = 1; node >= 0; ++at) {
    if (nodes_[static_cast<size_t>(node)].id >= 0)
      take(static_cast<uint32_t>(nodes_[static_cast<size_t>(node)].id), at);
    if (at == text.size()) return;
    node = child_of(node, text[at]);
  }
}

}  // namespace holdfast::token
