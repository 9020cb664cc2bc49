#include "token/training/unigram_lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr double unknown_penalty = 10;
constexpr size_t agenda_max = 100'000, agenda_kept = 20;

// log(exp(x) + exp(y))
double log_sum_exp(double x, double y) {
  const double low = std::min(x, y), high = std::max(x, y);
  return high > low + 50 ? high : high + std::log(std::exp(low - high) + 1);
}

}  // namespace

PieceTree::PieceTree(std::span<const TrainedPiece> pieces) : pieces_(pieces) {
  double least = std::numeric_limits<double>::infinity();
  for (size_t id = 1; id < pieces.size(); ++id) {
    least = std::min(least, pieces[id].score);
    int32_t node = -1;
    for (const char byte : pieces[id].text) {
      int32_t& slot =
          node < 0 ? roots_[static_cast<unsigned char>(byte)] : nodes_[static_cast<size_t>(node)].first_child;
      int32_t found = node < 0 ? slot : child_of(node, byte);
      if (found < 0) {
        found = static_cast<int32_t>(nodes_.size());
        Node made;
        made.byte = byte;
        made.next_sibling = node < 0 ? -1 : slot;
        slot = found;
        nodes_.push_back(made);
      }
      node = found;
    }
    if (node >= 0) nodes_[static_cast<size_t>(node)].id = static_cast<int32_t>(id);
  }
  unknown_score_ = least - unknown_penalty;
}

int32_t PieceTree::child_of(int32_t node, char byte) const {
  for (int32_t child = nodes_[static_cast<size_t>(node)].first_child; child >= 0;
       child = nodes_[static_cast<size_t>(child)].next_sibling)
    if (nodes_[static_cast<size_t>(child)].byte == byte) return child;
  return -1;
}

Lattice::Lattice(std::string_view text, const PieceTree& tree)
    : text_(text), beginning_(text.size() + 1), ending_(text.size() + 1) {
  const auto size = static_cast<uint32_t>(text.size());
  nodes_.push_back({.id = -1});
  nodes_.push_back({.id = -1, .begin = size, .end = size});
  beginning_[size].push_back(1);
  ending_[0].push_back(0);
  const auto insert = [&](uint32_t id, size_t at, size_t bytes, double score) {
    const auto node = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({.id = id,
                      .begin = static_cast<uint32_t>(at),
                      .end = static_cast<uint32_t>(at + bytes),
                      .score = score});
    beginning_[at].push_back(node);
    ending_[at + bytes].push_back(node);
  };
  for_each_code_point(text, [&](char32_t, size_t at, size_t character) {
    bool has_single = false;
    tree.each_prefix(text.substr(at), [&](uint32_t id, size_t bytes) {
      insert(id, at, bytes, tree.pieces()[id].score);
      has_single = has_single || bytes == character;
    });
    if (!has_single) insert(0, at, character, tree.unknown_score());
  });
}

bool Lattice::fill_best() {
  for (size_t at = 0; at <= text_.size(); ++at) {
    if (at < text_.size() && !starts_code_point(text_[at])) continue;
    if (beginning_[at].empty()) return false;
    for (const uint32_t right : beginning_[at]) {
      Node& node = nodes_[right];
      node.previous = -1;
      for (const uint32_t left : ending_[at]) {
        const double score = nodes_[left].best_score + node.score;
        if (node.previous < 0 || score > node.best_score) {
          node.previous = static_cast<int32_t>(left);
          node.best_score = score;
        }
      }
      if (node.previous < 0) return false;
    }
  }
  return true;
}

std::vector<uint32_t> Lattice::best() {
  std::vector<uint32_t> out;
  if (!fill_best()) return out;
  for (int32_t node = nodes_[1].previous; node > 0; node = nodes_[static_cast<size_t>(node)].previous)
    out.push_back(static_cast<uint32_t>(nodes_[static_cast<size_t>(node)].id));
  std::ranges::reverse(out);
  return out;
}

std::vector<std::vector<uint32_t>> Lattice::two_best() {
  struct Hypothesis {
    double estimate = 0, score = 0;
    uint32_t node = 0;
    int32_t next = -1;  // In `made`.
  };
  std::vector<Hypothesis> made;
  const auto later = [&](int32_t a, int32_t b) {
    return made[static_cast<size_t>(a)].estimate < made[static_cast<size_t>(b)].estimate;
  };
  std::vector<int32_t> agenda;  // A heap.
  const auto push = [&](int32_t hypothesis) {
    agenda.push_back(hypothesis);
    std::ranges::push_heap(agenda, later);
  };
  const auto pop = [&] {
    std::ranges::pop_heap(agenda, later);
    const int32_t top = agenda.back();
    agenda.pop_back();
    return top;
  };
  std::vector<std::vector<uint32_t>> out;
  if (!fill_best()) return out;
  made.push_back({.node = 1});
  push(0);
  while (!agenda.empty()) {
    const int32_t top = pop();
    const Hypothesis at = made[static_cast<size_t>(top)];
    if (at.node == 0) {
      std::vector<uint32_t> ids;
      for (int32_t step = at.next; made[static_cast<size_t>(step)].next >= 0;
           step = made[static_cast<size_t>(step)].next)
        ids.push_back(static_cast<uint32_t>(nodes_[made[static_cast<size_t>(step)].node].id));
      out.push_back(std::move(ids));
      if (out.size() == 2) return out;
      continue;
    }
    for (const uint32_t left : ending_[nodes_[at.node].begin]) {
      made.push_back({.estimate = nodes_[left].best_score + at.score,
                      .score = nodes_[left].score + at.score,
                      .node = left,
                      .next = top});
      push(static_cast<int32_t>(made.size()) - 1);
    }
    if (agenda.size() > agenda_max) {
      std::vector<int32_t> kept;
      for (size_t i = 0; i < agenda_kept; ++i) kept.push_back(pop());
      agenda = std::move(kept);  // Falling, which is a heap.
    }
  }
  return out;
}

double Lattice::add_expected(double frequency, std::vector<double>& expected) const {
  std::vector<double> before(nodes_.size(), 0), after(nodes_.size(), 0);
  for (size_t at = 0; at <= text_.size(); ++at)
    for (const uint32_t right : beginning_[at])
      for (const uint32_t left : ending_[at]) {
        const double value = nodes_[left].score + before[left];
        before[right] = left == ending_[at][0] ? value : log_sum_exp(before[right], value);
      }
  for (size_t at = text_.size() + 1; at-- > 0;)
    for (const uint32_t left : ending_[at])
      for (const uint32_t right : beginning_[at]) {
        const double value = nodes_[right].score + after[right];
        after[left] = right == beginning_[at][0] ? value : log_sum_exp(after[left], value);
      }
  const double total = before[1];
  for (size_t at = 0; at < text_.size(); ++at)
    for (const uint32_t node : beginning_[at])
      expected[static_cast<size_t>(nodes_[node].id)] +=
          frequency * std::exp(before[node] + nodes_[node].score + after[node] - total);
  return frequency * total;
}

}  // namespace holdfast::token
