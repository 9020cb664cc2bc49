#include "token/fast/trie_unigram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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
    if (!find_path(piece, workspace)) return false;
    workspace.ids.clear();
    workspace.ends.clear();
    bool any_unknown = false;
    for (size_t i = workspace.path.size(); i-- > 0;) {
      const Workspace::Node& node = workspace.path[i];
      const auto end = static_cast<uint32_t>(node.score);
      if (is_unknown(node.id)) {
        any_unknown = true;
        put_unknown(piece.substr(node.from, end - node.from), end, workspace);
      } else {
        workspace.ids.push_back(node.id);
        workspace.ends.push_back(end);
      }
    }
    // Bytes share the range of their character: tokens() makes their rows.
    if (any_unknown && model_.fallback() == ByteFallback::yes) workspace.ends.back() = UINT32_MAX;
    return true;
  }

  std::optional<uint32_t> unknown_of_own_text() const override { return model_.unknown(); }

  Result<std::vector<Token>> tokens(std::string_view piece, Workspace& workspace) const override {
    if (model_.fallback() == ByteFallback::yes || !find_path(piece, workspace)) return model_.tokenize(piece);
    std::vector<Token> out;
    out.reserve(workspace.path.size());
    for (size_t i = workspace.path.size(); i-- > 0;) {
      const Workspace::Node& node = workspace.path[i];
      const auto end = static_cast<uint32_t>(node.score);
      const std::string_view part = piece.substr(node.from, end - node.from);
      uint32_t id = node.id;
      if (is_unknown(id))  // Joined characters may be a token.
        if (const PrefixTree::Node known = tree_.walk(part); known.has_value()) id = known.value();
      out.push_back({id, std::string(part), {node.from, end}});
    }
    return out;
  }

  bool only_begins_with(std::string_view) const override { return false; }

 private:
  bool is_unknown(uint32_t id) const { return model_.unknown() && id == *model_.unknown(); }

  // Into workspace.path from the end, with the ends of tokens as scores; neighbouring unknown characters are
  // one.
  bool find_path(std::string_view piece, Workspace& workspace) const {
    constexpr uint32_t nowhere = UINT32_MAX;
    std::vector<Workspace::Node>& nodes = workspace.nodes;
    nodes.assign(piece.size() + 1, {0, 0, nowhere});
    const double* const scores = scores_.data();
    const auto offer = [&](size_t from, size_t to, uint32_t id, double score) {
      const double candidate = score + nodes[from].score;
      if (nodes[to].from == nowhere || candidate > nodes[to].score)
        nodes[to] = {candidate, id, static_cast<uint32_t>(from)};
    };
    for (size_t at = 0; at < piece.size();) {
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
    std::vector<Workspace::Node>& path = workspace.path;
    path.clear();
    for (auto end = static_cast<uint32_t>(piece.size()); end > 0; end = nodes[end].from) {
      if (!path.empty() && is_unknown(nodes[end].id) && is_unknown(path.back().id))
        path.back().from = nodes[end].from;
      else
        path.push_back({static_cast<double>(end), nodes[end].id, nodes[end].from});
    }
    return true;
  }

  explicit TrieUnigram(const Unigram& model) : model_(model) {
    std::vector<PrefixTree::Entry> entries;
    entries.reserve(model.entries().size());
    for (uint32_t id = 0; id < model.entries().size(); ++id) {
      entries.push_back({model.entries()[id].piece, id});
      scores_.push_back(model.entries()[id].score);
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
};

}  // namespace

std::unique_ptr<PieceModel> make_trie_unigram(const Unigram& model) { return TrieUnigram::make(model); }

}  // namespace holdfast::token
