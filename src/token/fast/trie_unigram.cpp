#include "token/fast/trie_unigram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "token/fast/large_pages.h"
#include "token/fast/prefix_tree.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr std::string_view sign = "\xE2\x96\x81";  // For a space.

// The likeliest way by a tree of pieces.
class TrieUnigram final : public PieceModel {
 public:
  static std::unique_ptr<PieceModel> make(const Unigram& model) {
    if (model.entries().size() > PrefixTree::values_max) return nullptr;
    return std::unique_ptr<PieceModel>(new TrieUnigram(model));
  }

  bool tokenize(std::string_view piece, Workspace& workspace) const override {
    workspace.ids.clear();
    workspace.ends.clear();
    reserve_large(workspace.ids, piece.size());
    reserve_large(workspace.ends, piece.size());
    bool any_unknown = false;
    const bool good = find_path(piece, workspace, [&](uint32_t from, uint32_t end, uint32_t id) {
      if (is_unknown(id)) {
        any_unknown = true;
        put_unknown(piece.substr(from, end - from), end, workspace);
      } else {
        workspace.ids.push_back(id);
        workspace.ends.push_back(end);
      }
    });
    // Bytes share the range of their character: tokens() makes their rows.
    if (any_unknown && model_.fallback() == ByteFallback::yes) workspace.ends.back() = UINT32_MAX;
    return good;
  }

  std::optional<uint32_t> unknown_of_own_text() const override { return model_.unknown(); }

  Result<std::vector<Token>> tokens(std::string_view piece, Workspace& workspace) const override {
    if (model_.fallback() == ByteFallback::yes) return model_.tokenize(piece);
    std::vector<Token> out;
    const bool good = find_path(piece, workspace, [&](uint32_t from, uint32_t end, uint32_t id) {
      const std::string_view part = piece.substr(from, end - from);
      if (is_unknown(id))  // Joined characters may be a token.
        if (const PrefixTree::Node known = tree_.walk(part); known.has_value()) id = known.value();
      out.push_back({id, std::string(part), {from, end}});
    });
    if (!good) return model_.tokenize(piece);
    return out;
  }

  bool only_begins_with(std::string_view) const override { return false; }

 private:
  bool is_unknown(uint32_t id) const { return model_.unknown() && id == *model_.unknown(); }

  static constexpr uint32_t nowhere = UINT32_MAX;

  // The last place that all ways to `at` or beyond it, as far as pieces reach, go through.
  static size_t common_place(std::span<const Workspace::Node> nodes, size_t at, std::vector<uint8_t>& open) {
    open.assign(nodes.size(), 0);
    size_t count = 0, place = nodes.size() - 1;
    for (size_t i = at; i < nodes.size(); ++i)
      if (nodes[i].from != nowhere) {
        open[i] = 1;
        ++count;
      }
    for (; place > 0; --place) {
      if (open[place] == 0) continue;
      if (count == 1) break;
      const size_t from = nodes[place].from;
      if (open[from] != 0)
        --count;
      else
        open[from] = 1;
    }
    return place;
  }

  // Gives `put` the tokens in their order; neighbouring unknown characters are one. What all ways of a long
  // piece have in common is given when it is known, so that not all of it is in memory.
  template <class Put>
  bool find_path(std::string_view piece, Workspace& workspace, Put put) const {
    LargeVector<Workspace::Node>&nodes = workspace.nodes, &path = workspace.path;
    size_t window = std::max(window_min, 4 * longest_), base = 0;  // Nodes are of the places from `base` on.
    nodes.assign(std::min(piece.size(), window + longest_) + 1, {0, 0, nowhere});
    std::vector<uint8_t> open;
    uint32_t waiting_from = nowhere, waiting_end = 0;  // Unknown characters that may go on.
    const auto give = [&](size_t last) {
      path.clear();
      for (auto end = static_cast<uint32_t>(last); end > 0; end = nodes[end].from)
        path.push_back({static_cast<double>(end), nodes[end].id, nodes[end].from});
      for (size_t i = path.size(); i-- > 0;) {
        const auto from = static_cast<uint32_t>(base + path[i].from),
                   end = static_cast<uint32_t>(base) + static_cast<uint32_t>(path[i].score);
        if (is_unknown(path[i].id)) {
          if (waiting_from == nowhere) waiting_from = from;
          waiting_end = end;
          continue;
        }
        if (waiting_from != nowhere) put(waiting_from, waiting_end, *model_.unknown());
        waiting_from = nowhere;
        put(from, end, path[i].id);
      }
    };
    const double* const scores = scores_.data();
    const auto offer = [&](size_t from, size_t to, uint32_t id, double score) {
      Workspace::Node& node = nodes.data()[to - base];
      const double candidate = score + nodes.data()[from - base].score;
      if (node.from == nowhere || candidate > node.score)
        node = {candidate, id, static_cast<uint32_t>(from - base)};
    };
    for (size_t at = 0; at < piece.size();) {
      if (at - base >= window) [[unlikely]] {
        const size_t place = common_place(nodes, at - base, open);
        if (place < window / 2) {
          window *= 2;
        } else {
          give(place);
          const double score = nodes[place].score;
          for (size_t i = place; i < nodes.size(); ++i) {
            nodes[i - place] = nodes[i];
            if (nodes[i].from != nowhere) nodes[i - place].from -= static_cast<uint32_t>(place);
          }
          nodes[0] = {score, 0, 0};
          std::fill(nodes.end() - static_cast<std::ptrdiff_t>(place), nodes.end(),
                    Workspace::Node{0, 0, nowhere});
          base += place;
        }
        nodes.resize(std::min(piece.size() - base, window + longest_) + 1, {0, 0, nowhere});
      }
      const size_t bytes = code_point_at(piece, at).bytes;
      bool single = false;
      PrefixTree::Node node = tree_.start();
      size_t end = at;
      if (piece.substr(at).starts_with(sign)) {  // Every word begins with it.
        node = after_sign_;
        end += sign.size();
        if (node.has_value()) {
          offer(at, end, node.value(), scores[node.value()]);
          single = true;
        }
      }
      while (!node.is_none() && end < piece.size()) {
        node = tree_.step(node, static_cast<uint8_t>(piece[end++]));
        if (!node.has_value()) continue;
        offer(at, end, node.value(), scores[node.value()]);
        single = single || end == at + bytes;
      }
      if (!single) {
        if (!model_.unknown()) return false;
        offer(at, at + bytes, *model_.unknown(), model_.unknown_score());
      }
      at += bytes;
    }
    give(piece.size() - base);
    if (waiting_from != nowhere) put(waiting_from, waiting_end, *model_.unknown());
    return true;
  }

  explicit TrieUnigram(const Unigram& model) : model_(model) {
    std::vector<PrefixTree::Entry> entries;
    entries.reserve(model.entries().size());
    for (uint32_t id = 0; id < model.entries().size(); ++id) {
      entries.push_back({model.entries()[id].piece, id});
      scores_.push_back(model.entries()[id].score);
      longest_ = std::max(longest_, model.entries()[id].piece.size());
    }
    tree_ = PrefixTree(entries);
    after_sign_ = tree_.walk(sign);
    if (model.fallback() == ByteFallback::no) return;
    for (size_t byte = 0; byte < bytes_.size(); ++byte)
      bytes_[byte] = model.id_of(fmt::format("<0x{:02X}>", byte));
  }

  // Joined characters may be a token; else they are bytes where these are tokens.
  void put_unknown(std::string_view part, uint32_t end, Workspace& workspace) const {
    const PrefixTree::Node node = tree_.walk(part);
    const bool known = !node.is_none() && node.has_value();
    const bool as_bytes = !known && model_.fallback() == ByteFallback::yes &&
                          std::all_of(part.begin(), part.end(), [&](char byte) {
                            return bytes_[static_cast<uint8_t>(byte)].has_value();
                          });
    if (as_bytes) {
      for (const char byte : part) workspace.ids.push_back(*bytes_[static_cast<uint8_t>(byte)]);
    } else {
      workspace.ids.push_back(known ? node.value() : *model_.unknown());
    }
    workspace.ends.resize(workspace.ids.size(), end);
  }

  const Unigram& model_;
  PrefixTree tree_;
  std::vector<double> scores_;
  PrefixTree::Node after_sign_;
  std::array<std::optional<uint32_t>, 256> bytes_{};
  static constexpr size_t window_min = 16384;
  size_t longest_ = 4;  // Bytes of a piece, or of a character.
};

}  // namespace

std::unique_ptr<PieceModel> make_trie_unigram(const Unigram& model) { return TrieUnigram::make(model); }

}  // namespace holdfast::token
