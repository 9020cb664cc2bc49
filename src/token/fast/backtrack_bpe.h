#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "token/fast/pair_table.h"
#include "token/fast/prefix_tree.h"

namespace holdfast::token {

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

  // `pairs` are of `merges` and outlive this.
  BacktrackBpe(std::span<const Symbol> symbols, const std::vector<Merge>& merges, const PairTable& pairs);

  // Tokens are put at `ids` and their ends, in bytes of the text, at `ends`: room for one of each a byte.
  // Nothing where the text is refused. `blocked` is room that is kept.
  std::optional<size_t> tokenize(std::string_view text, uint32_t* ids, uint32_t* ends,
                                 std::vector<uint64_t>& blocked) const;

  // The same for several short texts at once, so that their reads of memory wait together. `count` is 0 where
  // a text is refused; `ids` and `ends` have room for a token a byte.
  struct Job {
    std::string_view text;
    uint32_t* ids = nullptr;
    uint32_t* ends = nullptr;
    size_t count = 0;
  };
  static constexpr size_t job_bytes_max = 63;
  void tokenize_all(std::span<Job> jobs) const;

  bool has(uint32_t id) const { return id < parts_.size() && parts_[id].bytes != 0; }
  std::string_view bytes_of(uint32_t id) const {
    return std::string_view(arena_).substr(parts_[id].begin, parts_[id].bytes);
  }

 private:
  // How merging makes a token. The time is the rank of the merge and one; 0 for symbols.
  struct Part {
    uint32_t left = 0, right = 0, time = 0;
    uint32_t bytes = 0;                  // 0: no such token.
    uint32_t shorter = PairTable::none;  // The longest other token that it begins with.
    uint32_t begin = 0;                  // In the arena.
  };

  bool fits(uint32_t left, uint32_t right, uint32_t limit) const;
  bool makes(const Merge& merge, uint32_t rank) const;
  void take_longest(std::span<Job> jobs) const;
  uint32_t longest(const uint8_t* at, const uint8_t* end) const;
  // Goes on after `count` tokens with `token`, or a shorter one.
  template <class Blocked>
  std::optional<size_t> run(std::string_view text, uint32_t* ids, uint32_t* ends, size_t count,
                            uint32_t token, Blocked blocked) const;

  const PairTable& pairs_;
  LargeVector<Part> parts_;  // By id.
  std::string arena_;
  PrefixTree tree_;
};

}  // namespace holdfast::token
