#include "token/fast/byte_bpe.h"

#include <algorithm>

#include "token/byte_level.h"
#include "token/fast/chunk_merge.h"
#include "token/fast/long_words.h"
#include "token/fast/words_by_backtracking.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// The bytes a token of letters stands for; nothing if one stands for none.
std::optional<std::string> bytes_of(std::string_view token) {
  std::string out;
  bool known = true;
  for_each_code_point(token, [&](char32_t code, size_t, size_t) {
    const auto byte = byte_of_letter(code);
    known = known && byte;
    out += static_cast<char>(byte.value_or(0));
  });
  if (!known) return std::nullopt;
  return out;
}

std::string letter_of(size_t byte) {
  std::string out;
  append_utf8(out, byte_letters[byte]);
  return out;
}

}  // namespace

std::unique_ptr<ByteBpe> ByteBpe::make(const Bpe& model) {
  const BpeOptions& options = model.options();
  if (!options.prefix.empty() || options.dropout > 0 || !PairTable::fits(model.merges())) return nullptr;
  for (size_t byte = 0; byte < 256; ++byte)
    for (const std::string& suffix : {std::string(), options.suffix}) {
      const auto id = model.id_of(letter_of(byte) + suffix);
      if (!id || *id >= (1U << PairTable::id_bits) - 1) return nullptr;
    }
  return std::unique_ptr<ByteBpe>(new ByteBpe(model));
}

ByteBpe::ByteBpe(const Bpe& model) : pairs_(model.merges()) {
  const std::string& suffix = model.options().suffix;
  for (size_t byte = 0; byte < 256; ++byte) {
    ids_[byte] = *model.id_of(letter_of(byte));
    last_ids_[byte] = *model.id_of(letter_of(byte) + suffix);
  }
  byte_ranks_.resize(65536);
  for (size_t i = 0; i < 65536; ++i) byte_ranks_[i] = pairs_.rank_of(ids_[i >> 8U], ids_[i & 0xFFU]);
  for (const Merge& merge : model.merges()) {
    const std::string_view left = model.token_of(merge.left).value_or(""),
                           right = model.token_of(merge.right).value_or("");
    if (left.empty() || right.empty()) continue;
    size_t last = left.size() - 1;
    while (last > 0 && !starts_code_point(left[last])) --last;
    const auto a = byte_of_letter(code_point_at(left, last).value),
               b = byte_of_letter(code_point_at(right, 0).value);
    if (a && b) inner_pairs_.set(static_cast<size_t>(*a) << 8U | *b);
  }
  if (suffix.empty()) backtrack_ = make_backtrack(model);
  if (!model.options().ignore_merges) return;
  std::vector<std::pair<std::string, uint32_t>> whole;
  for (const auto& [token, id] : model.vocabulary().ids()) {
    if (backtrack_ && backtrack_->has(id)) continue;
    if (auto bytes = bytes_of(token); bytes && !bytes->empty()) whole.emplace_back(std::move(*bytes), id);
  }
  if (whole.empty()) return;
  whole_ = std::make_unique<TokenTable>(whole.size(), whole.size() * 8);
  for (const auto& [bytes, id] : whole) whole_->put(bytes, id);
}

std::unique_ptr<BacktrackBpe> ByteBpe::make_backtrack(const Bpe& model) const {
  std::array<char, 256> bytes{};
  std::array<BacktrackBpe::Symbol, 256> symbols{};
  for (size_t byte = 0; byte < 256; ++byte) {
    bytes[byte] = static_cast<char>(byte);
    symbols[byte] = {ids_[byte], std::string_view(&bytes[byte], 1)};
  }
  return std::make_unique<BacktrackBpe>(symbols, model.merges(), pairs_);
}

// The bytes of a word as symbols.
class ByteBpe::Source {
 public:
  Source(const ByteBpe& model, std::string_view word) : model_(model), word_(word) {}
  size_t size() const { return word_.size(); }
  bool may_merge(size_t at) const {
    return model_.inner_pairs_[static_cast<size_t>(static_cast<uint8_t>(word_[at - 1])) << 8U |
                               static_cast<uint8_t>(word_[at])];
  }
  void merge(size_t begin, size_t end, Workspace& workspace, std::vector<MergeSymbol>& out) const {
    model_.merge_range(word_, begin, end, workspace, out);
  }

 private:
  const ByteBpe& model_;
  std::string_view word_;
};

void ByteBpe::merge_range(std::string_view word, size_t begin, size_t end, Workspace& workspace,
                          std::vector<MergeSymbol>& out) const {
  const size_t count = end - begin;
  out.resize(count);
  for (size_t i = 0; i < count; ++i) out[i] = {ids_[static_cast<uint8_t>(word[begin + i])], 1};
  if (end == word.size()) out.back().id = last_ids_[static_cast<uint8_t>(word.back())];
  if (count > BpeMerger::short_max) {
    out.resize(workspace.merger->merge(out.data(), count));
    return;
  }
  BpeMerger::Ranks ranks;
  for (size_t i = 0; i + 1 < count; ++i)
    ranks[i] = byte_ranks_[static_cast<size_t>(static_cast<uint8_t>(word[begin + i])) << 8U |
                           static_cast<uint8_t>(word[begin + i + 1])];
  if (end == word.size() && count > 1)
    ranks[count - 2] = pairs_.rank_of(out[count - 2].id, out[count - 1].id);
  out.resize(workspace.merger->merge_short(out.data(), ranks, count));
}

bool ByteBpe::tokenize(std::string_view word, WordPlace, Workspace& workspace) const {
  workspace.ids.clear();
  workspace.ends.clear();
  if (whole_)
    if (const uint32_t id = whole_->find(word); id != TokenTable::none) {
      workspace.ids.push_back(id);
      workspace.ends.push_back(static_cast<uint32_t>(word.size()));
      return true;
    }
  if (backtrack_ && LongWords::is_worth(word) &&
      LongWords(*backtrack_).tokenize(word, workspace.ids, workspace.ends, workspace.backtracking))
    return true;
  if (backtrack_) {
    workspace.ids.resize(word.size());
    workspace.ends.resize(word.size());
    const auto count =
        backtrack_->tokenize(word, workspace.ids.data(), workspace.ends.data(), workspace.backtracking);
    if (count) {
      workspace.ids.resize(*count);
      workspace.ends.resize(*count);
      return true;
    }
  }
  return by_merging(word, workspace);
}

void ByteBpe::tokenize_all(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                           Workspace& workspace) const {
  if (!backtrack_) return;
  tokenize_by_backtracking(*backtrack_, words, out, workspace, [&](const FoundWord& word) {
    return !whole_ || whole_->find(word.text()) == TokenTable::none;
  });
}

bool ByteBpe::by_merging(std::string_view word, Workspace& workspace) const {
  workspace.ids.clear();
  workspace.ends.clear();
  if (!workspace.merger) workspace.merger = std::make_unique<BpeMerger>(pairs_);
  std::vector<MergeSymbol>* tokens = &workspace.symbols;
  if (word.size() <= ChunkMerge<Source>::chunk) {
    merge_range(word, 0, word.size(), workspace, workspace.symbols);
  } else {
    ChunkMerge<Source>::run(Source(*this, word), workspace);
    tokens = &workspace.tokens;
  }
  uint32_t end = 0;
  for (const MergeSymbol& token : *tokens) {
    workspace.ids.push_back(token.id);
    workspace.ends.push_back(end += token.units);
  }
  return true;
}

}  // namespace holdfast::token
