#include "token/fast/piece_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "token/fast/chunk_merge.h"
#include "token/fast/code_flags.h"
#include "token/fast/prefix_tree.h"
#include "token/fast/words_by_backtracking.h"
#include "token/models/bpe.h"
#include "token/models/unigram.h"
#include "token/models/word_piece.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr std::string_view meta = "\xE2\x96\x81";

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
  static std::unique_ptr<PieceModel> make(const Bpe& model, SpaceSign spaces) {
    const BpeOptions& options = model.options();
    if (spaces == SpaceSign::space && (!model.id_of(meta) || model.id_of(" "))) return nullptr;
    if (!options.prefix.empty() || !options.suffix.empty() || options.dropout > 0 || options.ignore_merges ||
        !PairTable::fits(model.merges()))
      return nullptr;
    for (const auto& [token, id] : model.vocabulary().ids())
      if (id >= (1U << PairTable::id_bits) - 1) return nullptr;
    return std::unique_ptr<PieceModel>(new CharacterBpe(model, spaces));
  }

  bool tokenize(std::string_view piece, Workspace& workspace) const override {
    if (backtrack_ && by_backtracking(piece, workspace)) return true;
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

  void tokenize_all(std::span<const FoundWord* const> pieces, std::span<WordTokens> out,
                    Workspace& workspace) const override {
    if (!backtrack_) return;
    tokenize_by_backtracking(*backtrack_, pieces, out, workspace, [&](const FoundWord& piece) {
      return end_of_known(piece.text(), 0) == piece.bytes;
    });
  }

  Result<std::vector<Token>> tokens(std::string_view piece, Workspace&) const override {
    return model_.tokenize(piece);
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

  CharacterBpe(const Bpe& model, SpaceSign spaces) : model_(model), pairs_(model.merges()) {
    ascii_.fill(PairTable::none);
    std::vector<BacktrackBpe::Symbol> symbols;
    for (const auto& [token, id] : model.vocabulary().ids()) {
      if (token.empty() || code_point_at(token, 0).bytes != token.size()) continue;
      const bool is_space = spaces == SpaceSign::space && token == meta;
      const char32_t code = is_space ? U' ' : code_point_at(token, 0).value;
      if (code < ascii_.size())
        ascii_[code] = id;
      else
        wide_.emplace(code, id);
      known_[code >> 6U] |= uint64_t{1} << (code & 63U);
      symbols.push_back({id, is_space ? std::string_view(" ") : std::string_view(token)});
    }
    for (size_t byte = 0; byte < bytes_.size(); ++byte)
      bytes_[byte] = model.id_of(fmt::format("<0x{:02X}>", byte)).value_or(PairTable::none);
    if (model.options().unknown) unknown_ = model.id_of(*model.options().unknown);
    // What stands for unknown characters must stay alone, so that a piece may be cut there.
    std::unordered_set<uint32_t> alone(bytes_.begin(), bytes_.end());
    if (unknown_) alone.insert(*unknown_);
    const bool stay_alone = std::all_of(
        model.merges().begin(), model.merges().end(),
        [&](const Merge& merge) { return !alone.contains(merge.left) && !alone.contains(merge.right); });
    if (stay_alone) backtrack_ = std::make_unique<BacktrackBpe>(symbols, model.merges(), pairs_);
  }

  size_t end_of_known(std::string_view piece, size_t at) const {
    while (at < piece.size()) {
      const Decoded one = decode(reinterpret_cast<const uint8_t*>(piece.data()) + at);
      if ((known_[one.code >> 6U] >> (one.code & 63U) & 1U) == 0) break;
      at += one.bytes;
    }
    return at;
  }

  // Cuts at unknown characters, as fill() has them.
  bool by_backtracking(std::string_view piece, Workspace& workspace) const {
    workspace.ids.resize(piece.size());
    workspace.ends.resize(piece.size());
    uint32_t *const ids = workspace.ids.data(), *const ends = workspace.ends.data();
    size_t count = 0, waiting = 0;  // Bytes of the unknown token that waits.
    const auto put = [&](uint32_t id, size_t end) {
      ids[count] = id;
      ends[count++] = static_cast<uint32_t>(end);
    };
    for (size_t at = 0; at < piece.size();) {
      if (const size_t end = end_of_known(piece, at); end > at) {
        if (waiting > 0) put(*unknown_, at);
        waiting = 0;
        const auto part = backtrack_->tokenize(piece.substr(at, end - at), ids + count, ends + count,
                                               workspace.backtracking);
        if (!part) return false;
        for (size_t i = 0; i < *part; ++i) ends[count + i] += static_cast<uint32_t>(at);
        count += *part;
        at = end;
        continue;
      }
      const size_t bytes = code_point_at(piece, at).bytes;
      if (model_.options().byte_fallback && has_bytes(piece.substr(at, bytes))) {
        if (waiting > 0) return false;
        for (size_t i = 0; i < bytes; ++i, ++at) put(bytes_[static_cast<uint8_t>(piece[at])], at + 1);
        continue;
      }
      if (!unknown_) return false;
      if (waiting > 0 && !model_.options().fuse_unknown) {
        put(*unknown_, at);
        waiting = 0;
      }
      waiting += bytes;
      at += bytes;
    }
    if (waiting > 0) put(*unknown_, piece.size());
    workspace.ids.resize(count);
    workspace.ends.resize(count);
    return true;
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
  std::vector<uint64_t> known_ = std::vector<uint64_t>(0x110000 / 64);  // Code points that are symbols.
  std::unique_ptr<BacktrackBpe> backtrack_;  // Null where unknown characters may be merged.
};

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
    // What is unknown has the text of the input as its token, or is bytes: tokens() makes its rows.
    if (any_unknown) workspace.ends.back() = UINT32_MAX;
    return true;
  }

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
      for (size_t end = at; end < piece.size();) {
        node = tree_.step(node, static_cast<uint8_t>(piece[end++]));
        if (node.is_none()) break;
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
  std::array<std::optional<uint32_t>, 256> bytes_{};
};

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

std::unique_ptr<PieceModel> make_piece_model(const Model& model, SpaceSign spaces) {
  if (const auto* bpe = dynamic_cast<const Bpe*>(&model)) return CharacterBpe::make(*bpe, spaces);
  if (spaces == SpaceSign::space) return nullptr;
  if (const auto* unigram = dynamic_cast<const Unigram*>(&model)) return TrieUnigram::make(*unigram);
  if (const auto* pieces = dynamic_cast<const WordPiece*>(&model)) return TrieWordPiece::make(*pieces);
  return nullptr;
}

}  // namespace holdfast::token
