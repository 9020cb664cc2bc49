#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <optional>

#include "token/fast/pair_table.h"
#include "token/fast/token_table.h"
#include "token/fast/word_model.h"

namespace holdfast::token {

// Byte-level BPE over the bytes themselves: no letters that stand for them. Ends are in bytes.
class ByteBpe final : public WordModel {
 public:
  // Null where the model does not have each byte as a token, has a prefix, random merges, or ids that are too large.
  static std::unique_ptr<ByteBpe> make(const Bpe& model);

  bool tokenize(std::string_view word, Workspace& workspace) const override;

 private:
  explicit ByteBpe(const Bpe& model);

  static constexpr size_t chunk = 44;        // Symbols that are merged at once.
  static constexpr size_t window_max = 4096;  // Symbols looked at again at a seam, before the whole word is.

  void fill(std::string_view word, size_t begin, size_t end, std::vector<MergeSymbol>& symbols) const;
  void merge_range(std::string_view word, size_t begin, size_t end, Workspace& workspace,
                   std::vector<MergeSymbol>& out) const;
  bool may_merge(std::string_view word, size_t at) const {
    return inner_pairs_[static_cast<uint8_t>(word[at - 1]) << 8U | static_cast<uint8_t>(word[at])];
  }
  bool join(std::string_view word, size_t seam, Workspace& workspace, std::vector<MergeSymbol>& next) const;
  void tokenize_long(std::string_view word, Workspace& workspace) const;

  PairTable pairs_;
  std::array<uint32_t, 256> ids_{}, last_ids_{};
  std::bitset<65536> inner_pairs_;         // Neighbouring bytes that some merge joins.
  std::unique_ptr<TokenTable> whole_;      // Words that are tokens whatever the merges; null if none.
};

}  // namespace holdfast::token
