#include "token/fast/byte_bpe.h"

#include <algorithm>

#include "token/byte_level.h"
#include "token/fast/chunk_merge.h"
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
  if (!model.options().ignore_merges) return;
  whole_ = std::make_unique<TokenTable>(model.vocabulary_size(), model.vocabulary_size() * 8);
  for (const auto& [token, id] : model.vocabulary().ids())
    if (const auto bytes = bytes_of(token)) whole_->put(*bytes, id);
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

bool ByteBpe::tokenize(std::string_view word, Workspace& workspace) const {
  workspace.ids.clear();
  workspace.ends.clear();
  if (whole_)
    if (const uint32_t id = whole_->find(word); id != TokenTable::none) {
      workspace.ids.push_back(id);
      workspace.ends.push_back(static_cast<uint32_t>(word.size()));
      return true;
    }
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
