#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <optional>

#include "token/fast/backtrack_bpe.h"
#include "token/fast/pair_table.h"
#include "token/fast/token_table.h"
#include "token/fast/word_model.h"

namespace holdfast::token {

// Byte-level BPE over the bytes themselves: no letters that stand for them. Ends are in bytes.
class ByteBpe final : public WordModel {
 public:
  // Null where the model does not have each byte as a token, has a prefix, random merges, or ids that are too
  // large.
  static std::unique_ptr<ByteBpe> make(const Bpe& model);

  bool tokenize(std::string_view word, WordPlace place, Workspace& workspace) const override;
  void tokenize_all(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                    Workspace& workspace) const override;

 private:
  explicit ByteBpe(const Bpe& model);

  class Source;
  std::unique_ptr<BacktrackBpe> make_backtrack(const Bpe& model) const;
  bool by_merging(std::string_view word, Workspace& workspace) const;
  void merge_range(std::string_view word, size_t begin, size_t end, Workspace& workspace,
                   std::vector<MergeSymbol>& out) const;

  PairTable pairs_;
  std::array<uint32_t, 256> ids_{}, last_ids_{};
  std::vector<uint32_t> byte_ranks_;         // Of the merge of two bytes, not the last: first << 8 | second.
  std::bitset<65536> inner_pairs_;           // Neighbouring bytes that some merge joins.
  std::unique_ptr<BacktrackBpe> backtrack_;  // Null where the last byte of a word is a symbol of its own.
  std::unique_ptr<TokenTable> whole_;        // Words that are tokens against the merges; null if none.
};

}  // namespace holdfast::token
