#include "token/fast/piece_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "token/fast/byte_trie.h"
#include "token/fast/chunk_merge.h"
#include "token/models/bpe.h"
#include "token/models/unigram.h"
#include "token/models/word_piece.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// No token holds `text` after something that is not a repetition of it.
bool stands_first(std::string_view token, std::string_view text) {
  while (token.starts_with(text)) token.remove_prefix(text.size());
  return token.find(text) == std::string_view::npos;
}

void put_tokens(const std::vector<MergeSymbol>& tokens, const std::vector<uint32_t>& symbol_ends,
                Workspace& workspace) {
  size_t symbol = 0;
  for (const MergeSymbol& token : tokens) {
    symbol += token.units;
    workspace.ids.push_back(token.id);
    workspace.ends.push_back(symbol_ends[symbol - 1]);
  }
}

// BPE over characters, as SentencePiece models have it.
class CharacterBpe final : public PieceModel {
 public:
  static std::unique_ptr<PieceModel> make(const Bpe& model) {
    const BpeOptions& options = model.options();
    if (!options.prefix.empty() || !options.suffix.empty() || options.dropout > 0 || options.ignore_merges ||
        !PairTable::fits(model.merges()))
      return nullptr;
    return std::unique_ptr<PieceModel>(new CharacterBpe(model));
  }

  bool tokenize(std::string_view piece, Workspace& workspace) const override {
    workspace.ids.clear();
    workspace.ends.clear();
    if (!workspace.merger) workspace.merger = std::make_unique<BpeMerger>(pairs_);
    std::vector<MergeSymbol>& initial = workspace.symbols;
    if (!fill(piece, workspace)) return false;
    if (initial.size() <= BpeMerger::short_max) {
      workspace.tokens.assign(initial.begin(), initial.end());
      workspace.tokens.resize(workspace.merger->merge(workspace.tokens.data(), initial.size()));
    } else {
      ChunkMerge<Source>::run(Source(initial), workspace);
    }
    put_tokens(workspace.tokens, workspace.symbol_ends, workspace);
    return true;
  }

  bool only_begins_with(std::string_view text) const override {
    return model_.id_of(text).has_value() &&
           std::all_of(model_.merges().begin(), model_.merges().end(), [&](const Merge& merge) {
             return stands_first(model_.token_of(merge.result).value_or(""), text);
           });
  }

 private:
  class Source {
   public:
    explicit Source(const std::vector<MergeSymbol>& symbols) : symbols_(symbols) {}
    size_t size() const { return symbols_.size(); }
    bool may_merge(size_t) const { return true; }
    void merge(size_t begin, size_t end, Workspace& workspace, std::vector<MergeSymbol>& out) const {
      out.assign(symbols_.begin() + static_cast<std::ptrdiff_t>(begin),
                 symbols_.begin() + static_cast<std::ptrdiff_t>(end));
      out.resize(workspace.merger->merge(out.data(), out.size()));
    }

   private:
    const std::vector<MergeSymbol>& symbols_;
  };

  explicit CharacterBpe(const Bpe& model) : model_(model), pairs_(model.merges()) {
    ascii_.fill(PairTable::none);
    for (const auto& [token, id] : model.vocabulary().ids()) {
      if (token.empty() || code_point_at(token, 0).bytes != token.size()) continue;
      const char32_t code = code_point_at(token, 0).value;
      if (code < ascii_.size())
        ascii_[code] = id;
      else
        wide_.emplace(code, id);
    }
    for (size_t byte = 0; byte < bytes_.size(); ++byte)
      bytes_[byte] = model.id_of(fmt::format("<0x{:02X}>", byte)).value_or(PairTable::none);
    if (model.options().unknown) unknown_ = model.id_of(*model.options().unknown);
  }

  uint32_t id_of(char32_t code) const {
    if (code < ascii_.size()) return ascii_[code];
    const auto found = wide_.find(code);
    return found == wide_.end() ? PairTable::none : found->second;
  }

  // As Bpe::symbols_of: an unknown token waits until the next known one.
  bool fill(std::string_view piece, Workspace& workspace) const {
    std::vector<MergeSymbol>& out = workspace.symbols;
    std::vector<uint32_t>& ends = workspace.symbol_ends;
    out.clear();
    ends.clear();
    const bool fallback = model_.options().byte_fallback;
    uint32_t waiting = 0;  // Bytes of the unknown token that waits.
    for (size_t at = 0; at < piece.size();) {
      const CodePoint point = code_point_at(piece, at);
      const uint32_t id = id_of(point.value);
      if (id != PairTable::none) {
        if (waiting > 0) {
          out.push_back({*unknown_, 1});
          ends.push_back(static_cast<uint32_t>(at));
          waiting = 0;
        }
        at += point.bytes;
        out.push_back({id, 1});
        ends.push_back(static_cast<uint32_t>(at));
        continue;
      }
      if (fallback && has_bytes(piece.substr(at, point.bytes))) {
        if (waiting > 0)
          return false;  // Bytes before the unknown: the order of the tokens is not that of the text.
        for (size_t i = 0; i < point.bytes; ++i, ++at) {
          out.push_back({bytes_[static_cast<uint8_t>(piece[at])], 1});
          ends.push_back(static_cast<uint32_t>(at + 1));
        }
        continue;
      }
      if (!model_.options().unknown || !unknown_) return false;
      if (waiting > 0 && !model_.options().fuse_unknown) {
        out.push_back({*unknown_, 1});
        ends.push_back(static_cast<uint32_t>(at));
        waiting = 0;
      }
      waiting += static_cast<uint32_t>(point.bytes);
      at += point.bytes;
    }
    if (waiting > 0) {
      out.push_back({*unknown_, 1});
      ends.push_back(static_cast<uint32_t>(piece.size()));
    }
    return true;
  }

  bool has_bytes(std::string_view character) const {
    return std::all_of(character.begin(), character.end(),
                       [&](char byte) { return bytes_[static_cast<uint8_t>(byte)] != PairTable::none; });
  }

  const Bpe& model_;
  PairTable pairs_;
  std::array<uint32_t, 0x80> ascii_{};
  std::unordered_map<char32_t, uint32_t> wide_;
  std::array<uint32_t, 256> bytes_{};
  std::optional<uint32_t> unknown_;
};

// The likeliest way by a tree of pieces.
class TrieUnigram final : public PieceModel {
 public:
  static std::unique_ptr<PieceModel> make(const Unigram& model) {
    size_t bytes = 0;
    for (const auto& entry : model.entries()) bytes += entry.piece.size();
    return std::unique_ptr<PieceModel>(new TrieUnigram(model, bytes));
  }

  bool tokenize(std::string_view piece, Workspace& workspace) const override {
    constexpr uint32_t nowhere = UINT32_MAX;
    std::vector<Workspace::Node>& nodes = workspace.nodes;
    nodes.assign(piece.size() + 1, {0, 0, nowhere});
    const auto offer = [&](size_t from, size_t to, uint32_t id, double score) {
      const double candidate = score + nodes[from].score;
      if (nodes[to].from == nowhere || candidate > nodes[to].score)
        nodes[to] = {candidate, id, static_cast<uint32_t>(from)};
    };
    for (size_t at = 0; at < piece.size();) {
      const size_t bytes = code_point_at(piece, at).bytes;
      bool single = false;
      uint32_t node = 0;
      for (size_t end = at; end < piece.size();) {
        node = trie_.next(node, static_cast<uint8_t>(piece[end++]));
        if (node == ByteTrie::none) break;
        const uint32_t id = trie_.id(node);
        if (id == ByteTrie::none) continue;
        offer(at, end, id, scores_[id]);
        single = single || end == at + bytes;
      }
      if (!single) {
        if (!model_.unknown()) return false;
        offer(at, at + bytes, *model_.unknown(), model_.unknown_score());
      }
      at += bytes;
    }
    workspace.ids.clear();
    workspace.ends.clear();
    // What is unknown has the text of the input as its token, or is bytes: the plain model makes it.
    for (auto end = static_cast<uint32_t>(piece.size()); end > 0; end = nodes[end].from) {
      if (model_.unknown() && nodes[end].id == *model_.unknown()) return false;
      workspace.ids.push_back(nodes[end].id);
      workspace.ends.push_back(end);
    }
    std::reverse(workspace.ids.begin(), workspace.ids.end());
    std::reverse(workspace.ends.begin(), workspace.ends.end());
    return true;
  }

  bool only_begins_with(std::string_view) const override { return false; }

 private:
  TrieUnigram(const Unigram& model, size_t bytes) : model_(model), trie_(bytes) {
    scores_.reserve(model.entries().size());
    for (uint32_t id = 0; id < model.entries().size(); ++id) {
      trie_.put(model.entries()[id].piece, id);
      scores_.push_back(model.entries()[id].score);
    }
  }

  const Unigram& model_;
  ByteTrie trie_;
  std::vector<double> scores_;
};

// The longest token again and again, by a tree.
class TrieWordPiece final : public PieceModel {
 public:
  static std::unique_ptr<PieceModel> make(const WordPiece& model) {
    const auto unknown = model.id_of(model.options().unknown);
    if (!unknown) return nullptr;
    size_t bytes = 0;
    for (const auto& [token, id] : model.vocabulary().ids()) bytes += token.size();
    return std::unique_ptr<PieceModel>(new TrieWordPiece(model, *unknown, bytes));
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
      uint32_t node = at == 0 ? 0 : inner_, best = ByteTrie::none;
      size_t best_end = at;
      for (size_t end = at; node != ByteTrie::none && end < piece.size();) {
        node = trie_.next(node, static_cast<uint8_t>(piece[end++]));
        if (node == ByteTrie::none) break;
        if (trie_.id(node) == ByteTrie::none) continue;
        best = trie_.id(node);
        best_end = end;
      }
      if (best == ByteTrie::none) return unknown();
      workspace.ids.push_back(best);
      workspace.ends.push_back(static_cast<uint32_t>(best_end));
      at = best_end;
    }
    return true;
  }

  bool only_begins_with(std::string_view) const override { return false; }

 private:
  TrieWordPiece(const WordPiece& model, uint32_t unknown, size_t bytes)
      : model_(model), unknown_(unknown), trie_(bytes) {
    for (const auto& [token, id] : model.vocabulary().ids()) trie_.put(token, id);
    inner_ = trie_.walk(model.options().prefix);
  }

  const WordPiece& model_;
  uint32_t unknown_;
  ByteTrie trie_;
  uint32_t inner_ = ByteTrie::none;  // After the prefix of tokens that continue a word.
};

}  // namespace

std::unique_ptr<PieceModel> make_piece_model(const Model& model) {
  if (const auto* bpe = dynamic_cast<const Bpe*>(&model)) return CharacterBpe::make(*bpe);
  if (const auto* unigram = dynamic_cast<const Unigram*>(&model)) return TrieUnigram::make(*unigram);
  if (const auto* pieces = dynamic_cast<const WordPiece*>(&model)) return TrieWordPiece::make(*pieces);
  return nullptr;
}

}  // namespace holdfast::token
