#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "token/fast/bpe_job.h"
#include "token/fast/instructions.h"
#include "token/fast/large_pages.h"
#include "token/fast/pair_table.h"
#include "token/fast/text_symbols.h"

namespace holdfast::token {

// Merges texts of few symbols by their ranks, which is what BPE says and needs no looking back: the ranks of
// a text are in one or two registers, and a step of one text is followed by a step of the next, so that their
// reads of memory wait together. Immutable; safe from any thread.
class ShortMerges {
 public:
  static constexpr uint32_t symbols_max = 16;

  // What stands for characters that are no symbols is merged with nothing. Both outlive this.
  ShortMerges(const TextSymbols& symbols, const PairTable& pairs);

  // Makes the tokens of the jobs that are not done and have few symbols; the others stay without.
  void run(std::span<BpeJob> jobs, Instructions instructions) const;

 private:
  static constexpr unsigned place_bits = 4;
  static constexpr uint32_t nothing = PairTable::none << place_bits;  // And what is above.

  struct Lane;
  struct WideLane;
  // Where the symbols of a text are put, with the keys of neighbours.
  struct Symbols {
    uint32_t* keys;   // symbols_max each,
    uint32_t* ids;    // as these;
    uint8_t* begins;  // in bytes, and the end.
    uint32_t count = 0;

    bool put(uint32_t id, uint32_t begin) {
      if (count == symbols_max) return false;
      begins[count] = static_cast<uint8_t>(begin);
      ids[count++] = id;
      return true;
    }
  };
  // False where the text has more of them, or bytes that are none.
  bool fill(std::string_view text, Symbols& out) const;
  uint32_t key_of(uint32_t left, uint32_t right, uint32_t place) const {
    return pairs_.rank_of(left, right) << place_bits | place;
  }
  // The same without branches, 16 ranks at a time.
  void run_by_avx512(std::span<BpeJob> jobs) const;
  bool fill_wide(WideLane& lane, BpeJob& job) const;
  bool fill_bytes(WideLane& lane, std::string_view text) const;
  bool fill_signed(WideLane& lane, std::string_view text) const;
  static void finish_wide(const WideLane& lane);
  static void find_least(std::span<const Lane> lanes, uint32_t* least);
  static void find_least_by_avx2(std::span<const Lane> lanes, uint32_t* least);
  static void finish(const Lane& lane);
  void begin_merge(Lane& lane, uint32_t key) const;
  void end_merge(Lane& lane) const;

  const PairTable& pairs_;
  const TextSymbols& symbols_;
  // What a byte is as a symbol, or what stands for it alone; of those beyond ASCII none.
  std::array<uint32_t, 256> byte_ids_{};
  bool fuses_unknown_ = false;
  LargeVector<uint32_t> byte_ranks_;  // Of two bytes: first << 8 | second.
  // The sign for a space, which most words of some models begin with, if it is a symbol; its ranks with the
  // byte after it.
  uint32_t sign_ = PairTable::none;
  std::array<uint32_t, 256> sign_ranks_{};
};

}  // namespace holdfast::token
