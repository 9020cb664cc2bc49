#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "token/fast/bpe_job.h"
#include "token/fast/fit_cache.h"
#include "token/fast/pair_table.h"
#include "token/fast/prefix_tree.h"
#include "token/fast/text_symbols.h"

namespace holdfast::token {

class FreeMerges;
class MergeLanes;
class ShortMerges;

// BPE without merging: the tokens of a text are those tokens, each what merging makes of its own bytes, of
// which every two neighbours are what merging makes of their bytes; there is one such sequence. It is found
// by taking the longest token again and again and, where two do not fit, a shorter one or one step back:
// linear in the text. (The way of github.com/github/rust-gems, crate bpe.) Tokens whose last merge comes
// before one of their parts' are left out; a text that needs one is refused. Immutable; safe from any thread.
class BacktrackBpe {
 public:
  // A symbol that merging begins with.
  struct Symbol {
    uint32_t id = 0;
    std::string_view bytes;
  };

  // `pairs` are of `merges`; both outlive this. Texts with characters that are no symbols are refused, but
  // of many at once where something stands for those: `unknown` are in no merge.
  BacktrackBpe(std::span<const Symbol> symbols, const std::vector<Merge>& merges, const PairTable& pairs,
               const UnknownSymbols& unknown = {});
  ~BacktrackBpe();
  BacktrackBpe(const BacktrackBpe&) = delete;
  BacktrackBpe& operator=(const BacktrackBpe&) = delete;

  // What is kept from one text to the next, of one thread and one model.
  struct Room {
    FitCache fits;
    std::vector<uint64_t> blocked;
  };

  // Tokens are put at `ids` and their ends, in bytes of the text, at `ends`: room for one of each a byte.
  // Nothing where the text is refused.
  std::optional<size_t> tokenize(std::string_view text, uint32_t* ids, uint32_t* ends, Room& room) const;

  // The same for several texts at once, so that their reads of memory wait together; most are merged after
  // all, and those of few symbols always. `count` is 0 where a text is refused, or is of more than
  // back_bytes_max and not merged.
  using Job = BpeJob;
  static constexpr size_t job_bytes_max = 4095;
  void tokenize_all(std::span<Job> jobs, FitCache& fits) const;

  // Whether merging the bytes of both tokens comes to these two.
  bool stand_together(uint32_t left, uint32_t right, FitCache& fits) const;
  const MergeLanes& lanes() const { return *lanes_; }
  const ShortMerges& short_merges() const { return *short_; }
  // For texts of so many bytes: made once it is asked for enough of them, since that takes longer than to
  // load the model. Null before, and where merges come in an order that they are not for.
  const FreeMerges* free_merges(size_t bytes) const;
  static constexpr size_t free_merges_from = 65'536;  // Bytes.

  bool has(uint32_t id) const { return id < tokens_.size() && tokens_[id].bytes != 0; }
  std::string_view bytes_of(uint32_t id) const {
    return std::string_view(arena_).substr(tokens_[id].begin, tokens_[id].bytes);
  }

 private:
  static constexpr size_t back_bytes_max = 127;  // Of what ShortBlocked has room for.

  // How merging makes a token, in one number: the rank of the merge and one (0 for symbols), left, right.
  class Part {
   public:
    Part() = default;
    Part(uint32_t time, uint32_t left, uint32_t right)
        : packed_(uint64_t{time} << 2 * PairTable::id_bits | uint64_t{left} << PairTable::id_bits | right) {}
    uint32_t time() const { return static_cast<uint32_t>(packed_ >> 2 * PairTable::id_bits); }
    uint32_t left() const { return static_cast<uint32_t>(packed_ >> PairTable::id_bits) & id_mask; }
    uint32_t right() const { return static_cast<uint32_t>(packed_) & id_mask; }

   private:
    static constexpr uint32_t id_mask = (1U << PairTable::id_bits) - 1;
    uint64_t packed_ = 0;
  };
  struct Token {
    uint32_t bytes = 0;                  // 0: no such token.
    uint32_t shorter = PairTable::none;  // The longest other token that it begins with.
    uint32_t begin = 0;                  // In the arena.
  };

  bool fits(uint32_t left, uint32_t right, uint32_t limit) const;
  bool makes(const Merge& merge, uint32_t rank) const;
  std::unique_ptr<FreeMerges> make_free_merges() const;
  bool is_never_done(const Merge& merge, uint32_t rank, size_t& budget) const;
  void put_symbols(uint32_t id, std::vector<uint32_t>& out) const;
  struct Walk;
  bool begin_walk(Walk& walk) const;
  void take_longest(std::span<Job> jobs, const FitCache& fits) const;
  uint32_t longest(const uint8_t* at, const uint8_t* end) const;
  // Goes on after `count` tokens with `token`, or a shorter one. `taken` may know longest tokens.
  class Taken;
  template <class Blocked>
  std::optional<size_t> run(const Job& job, size_t count, uint32_t token, Blocked blocked, Taken taken,
                            FitCache& fits) const;

  const PairTable& pairs_;
  TextSymbols symbols_;
  const std::vector<Merge>& merges_;
  LargeVector<Part> parts_;  // By id, as the next.
  LargeVector<Token> tokens_;
  std::string arena_;
  PrefixTree tree_;
  std::vector<PrefixTree::Node> one_byte_;   // Of the tree, by the first byte;
  LargeVector<PrefixTree::Node> two_bytes_;  // by the first << 8 | the second.
  std::unique_ptr<MergeLanes> lanes_;
  std::unique_ptr<ShortMerges> short_;
  mutable std::atomic<size_t> asked_bytes_ = 0;  // Of free merges, until they are enough.
  mutable std::once_flag free_once_;
  mutable std::unique_ptr<FreeMerges> free_;
};

}  // namespace holdfast::token
