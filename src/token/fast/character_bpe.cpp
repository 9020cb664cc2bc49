#include "token/fast/character_bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "token/fast/chunk_merge.h"
#include "token/fast/code_flags.h"
#include "token/fast/long_words.h"
#include "token/fast/words_by_backtracking.h"
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
    // Where a space is its own symbol, the sign for one in the text is no unknown character but a space.
    tokenize_by_backtracking(*backtrack_, pieces, out, workspace, [&](const FoundWord& piece) {
      return spaces_ == SpaceSign::sign || piece.text().find(meta) == std::string_view::npos;
    });
  }

  const Joins* joins() const override { return joins_.get(); }

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

  CharacterBpe(const Bpe& model, SpaceSign spaces) : model_(model), spaces_(spaces), pairs_(model.merges()) {
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
    if (model.vocabulary().has_unique_ids()) joins_ = make_joins(spaces, stay_alone);
    if (stay_alone)
      backtrack_ = std::make_unique<BacktrackBpe>(symbols, model.merges(), pairs_,
                                                  unknown_symbols(model.options(), symbols));
  }

  // As by_backtracking() has them; where only some bytes are tokens it is asked.
  UnknownSymbols unknown_symbols(const BpeOptions& options,
                                 std::span<const BacktrackBpe::Symbol> symbols) const {
    const bool all_bytes =
        std::none_of(bytes_.begin(), bytes_.end(), [](uint32_t id) { return id == PairTable::none; });
    if (options.byte_fallback && all_bytes) return {UnknownSymbols::Way::bytes, bytes_, PairTable::none};
    const bool is_symbol =
        std::any_of(symbols.begin(), symbols.end(),
                    [&](const BacktrackBpe::Symbol& symbol) { return symbol.id == unknown_; });
    if (options.byte_fallback || !unknown_ || is_symbol) return {};
    return {options.fuse_unknown ? UnknownSymbols::Way::one_for_all : UnknownSymbols::Way::one_each,
            {},
            *unknown_};
  }

  // Each merge joins the last character of its left token and the first of its right one. One of two
  // characters that are cut apart is ASCII and a token, as neighbours that are none may become one token.
  std::unique_ptr<Joins> make_joins(SpaceSign spaces, bool stay_alone) const {
    auto out = std::make_unique<Joins>();
    const auto is_known = [&](size_t byte) {
      return byte < 0x80 && ascii_[byte] != PairTable::none && (byte != ' ' || spaces == SpaceSign::space);
    };
    for (size_t left = 0; left < 256; ++left)
      for (size_t right = 0; right < 256; ++right) {
        const bool known = stay_alone ? is_known(left) || is_known(right) : is_known(left) && is_known(right);
        const bool odd_ascii = (left < 0x80 && !is_known(left)) || (right < 0x80 && !is_known(right));
        // The sign for a space in the text itself is a space.
        const bool sign = left == static_cast<uint8_t>(meta.back()) || right == static_cast<uint8_t>(meta[0]);
        if (!known || odd_ascii || sign) out->put(static_cast<uint8_t>(left), static_cast<uint8_t>(right));
      }
    for (const Merge& merge : model_.merges()) {
      const std::string_view left = model_.token_of(merge.left).value_or(""),
                             right = model_.token_of(merge.right).value_or("");
      if (left.empty() || right.empty()) return nullptr;
      const bool from_space = spaces == SpaceSign::space && left.ends_with(meta),
                 to_space = spaces == SpaceSign::space && right.starts_with(meta);
      out->put(from_space ? ' ' : static_cast<uint8_t>(left.back()),
               to_space ? ' ' : static_cast<uint8_t>(right.front()));
    }
    const bool any_is_bytes =
        model_.options().byte_fallback &&
        std::none_of(bytes_.begin(), bytes_.end(), [](uint32_t id) { return id == PairTable::none; });
    if (stay_alone && any_is_bytes) put_wide_joins(*out);
    out->group();
    return out;
  }

  // Characters that are no tokens are bytes, which stay alone too.
  void put_wide_joins(Joins& joins) const {
    joins.know_wide(model_.merges().size());
    for (const Merge& merge : model_.merges()) {
      const std::string_view left = model_.token_of(merge.left).value_or(""),
                             right = model_.token_of(merge.right).value_or("");
      const auto width = static_cast<unsigned>(code_point_at(right, 0).bytes);
      if (width < 2 || width > 3 || left.size() < width) continue;
      const std::string_view last = left.substr(left.size() - width);
      if (!starts_code_point(last[0]) || code_point_at(last, 0).bytes != width) continue;
      std::array<uint8_t, 6> both{};
      std::copy(last.begin(), last.end(), both.begin());
      std::copy_n(right.begin(), width, both.begin() + width);
      joins.put_wide(both.data(), width);
    }
  }

  size_t end_of_known(std::string_view piece, size_t at) const {
    while (at < piece.size()) {
      const Decoded one = decode(reinterpret_cast<const uint8_t*>(piece.data()) + at);
      if ((known_[one.code >> 6U] >> (one.code & 63U) & 1U) == 0) break;
      at += one.bytes;
    }
    return at;
  }

  std::optional<size_t> tokenize_known(std::string_view part, uint32_t* ids, uint32_t* ends,
                                       Workspace& workspace) const {
    BacktrackBpe::Room& room = workspace.backtracking;
    std::vector<uint32_t> long_ids, long_ends;
    if (!LongWords::is_worth(part) || !LongWords(*backtrack_).tokenize(part, long_ids, long_ends, room))
      return backtrack_->tokenize(part, ids, ends, room);
    std::copy(long_ids.begin(), long_ids.end(), ids);
    std::copy(long_ends.begin(), long_ends.end(), ends);
    return long_ids.size();
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
        const auto part = tokenize_known(piece.substr(at, end - at), ids + count, ends + count, workspace);
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
  SpaceSign spaces_;
  PairTable pairs_;
  std::array<uint32_t, 0x80> ascii_{};
  std::unordered_map<char32_t, uint32_t> wide_;
  std::array<uint32_t, 256> bytes_{};
  std::optional<uint32_t> unknown_;
  std::vector<uint64_t> known_ = std::vector<uint64_t>(0x110000 / 64);  // Code points that are symbols.
  std::unique_ptr<Joins> joins_;                                        // Null where two tokens have one id.
  std::unique_ptr<BacktrackBpe> backtrack_;  // Null where unknown characters may be merged.
};

}  // namespace

std::unique_ptr<PieceModel> make_character_bpe(const Bpe& model, SpaceSign spaces) {
  return CharacterBpe::make(model, spaces);
}

}  // namespace holdfast::token
