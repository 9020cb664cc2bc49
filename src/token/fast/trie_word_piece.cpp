#include "token/fast/trie_word_piece.h"

#include "token/fast/prefix_tree.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// The longest token again and again, by a tree.
class TrieWordPiece final : public PieceModel {
 public:
  static std::unique_ptr<PieceModel> make(const WordPiece& model) {
    const auto unknown = model.id_of(model.options().unknown);
    // The text of a token is asked for by its id.
    if (!unknown || !model.vocabulary().has_unique_ids()) return nullptr;
    for (const auto& [token, id] : model.vocabulary().ids())
      if (id > PrefixTree::values_max) return nullptr;
    return std::unique_ptr<PieceModel>(new TrieWordPiece(model, *unknown));
  }

  bool tokenize(std::string_view piece, Workspace& workspace) const override {
    workspace.ids.clear();
    workspace.ends.clear();
    const auto unknown = [&] {
      workspace.ids.assign(1, unknown_);
      workspace.ends.assign(1, static_cast<uint32_t>(piece.size()));
      return true;
    };
    if (piece.size() > model_.options().code_points_max &&
        count_code_points(piece) > model_.options().code_points_max)
      return unknown();
    for (size_t at = 0; at < piece.size();) {
      PrefixTree::Node node = at == 0 ? tree_.start() : inner_;
      uint32_t best = PrefixTree::none;
      size_t best_end = at;
      for (size_t end = at; !node.is_none() && end < piece.size();) {
        node = tree_.step(node, static_cast<uint8_t>(piece[end++]));
        if (!node.has_value()) continue;
        best = node.value();
        best_end = end;
      }
      if (best == PrefixTree::none) return unknown();
      workspace.ids.push_back(best);
      workspace.ends.push_back(static_cast<uint32_t>(best_end));
      at = best_end;
    }
    return true;
  }

  Result<std::vector<Token>> tokens(std::string_view piece, Workspace&) const override {
    return model_.tokenize(piece);
  }

  bool only_begins_with(std::string_view) const override { return false; }

 private:
  TrieWordPiece(const WordPiece& model, uint32_t unknown) : model_(model), unknown_(unknown) {
    std::vector<PrefixTree::Entry> entries;
    entries.reserve(model.vocabulary().size());
    for (const auto& [token, id] : model.vocabulary().ids()) entries.push_back({token, id});
    tree_ = PrefixTree(entries);
    inner_ = tree_.walk(model.options().prefix);
  }

  const WordPiece& model_;
  uint32_t unknown_;
  PrefixTree tree_;
  PrefixTree::Node inner_ = tree_.start();  // After the prefix of tokens that continue a word.
};

}  // namespace

std::unique_ptr<PieceModel> make_trie_word_piece(const WordPiece& model) {
  return TrieWordPiece::make(model);
}

}  // namespace holdfast::token
