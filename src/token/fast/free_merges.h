#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "token/fast/bpe_job.h"
#include "token/fast/instructions.h"
#include "token/fast/pair_rivals.h"
#include "token/fast/text_symbols.h"

namespace holdfast::token {

// Merges many symbols at once: in each round all pairs whose merge nothing can come before, in six rounds of
// text or so. Merging by rank takes the least of all first; but a pair of a lower rank than those beside it
// is merged in any case, unless one of its tokens is taken first by something that its neighbour became a
// part of. PairRivals knows by which rank that may be: where it is not lower, the pair may as well be merged
// now. Only of tokens that are made by one merge each, after those of their parts. Immutable; safe from any
// thread.
class FreeMerges {
 public:
  static constexpr size_t symbols_max = 1024;  // With one after each text.

  // Texts under merging, and their tokens afterwards.
  class Room {
   public:
    Room();
    void clear() { count_ = at_ = stale_count_ = 0; }

    // The tokens of the next text, and their ends in bytes; returns how many.
    size_t take(uint32_t* ids, uint32_t* ends) {
      size_t used = 0;
      for (; this->ids()[at_] != PairTable::no_id; ++at_) {
        ids[used] = this->ids()[at_];
        ends[used++] = begins()[at_ + 1];
      }
      ++at_;
      return used;
    }

   private:
    friend class FreeMerges;
    static constexpr size_t block = 16, blocks_max = symbols_max / block + 1;
    struct Column {
      alignas(64) std::array<uint32_t, symbols_max + 4 * block> places;
    };
    // Each column is read up to a block before its begin and after its end.
    static uint32_t* of(Column& column) { return column.places.data() + block; }
    uint32_t* ids() { return of(ids_); }
    uint32_t* begins() { return of(begins_); }
    uint32_t* ranks() { return of(ranks_); }
    uint32_t* of_right() { return of(of_right_); }
    uint32_t* of_left() { return of(of_left_); }
    void put_nothing(size_t at);

    Column ids_, begins_;                // Of symbols, and no_id after each text, where its end begins.
    Column ranks_, of_right_, of_left_;  // Of each and the next.
    std::array<uint16_t, blocks_max + 1> merged_, same_, free_of_right_;  // A bit a place.
    std::array<uint32_t, symbols_max + block> stale_;                     // Places whose pair is not known.
    size_t count_ = 0, at_ = 0, stale_count_ = 0;
  };

  // The symbols outlive it. What stands for characters that are none is in no merge.
  static std::unique_ptr<FreeMerges> make(const TextSymbols& symbols, std::span<const Merge> merges);

  // Puts in the symbols at the begin of a text that is not empty, as many as there is room for; returns their
  // bytes, 0 where one is none.
  size_t put(std::string_view text, Room& room) const;
  // All of a text, with what stands for characters that are no symbols, or nothing of it.
  enum class Put : uint8_t { done, no_room, refused };
  Put put_whole(std::string_view text, Room& room) const;
  // Until nothing can be merged; false where that takes too many rounds.
  bool merge(Room& room, Instructions instructions) const;
  // Makes the tokens of the jobs that are not done and fit into a room, as many together as do.
  void run(std::span<BpeJob> jobs, Instructions instructions) const;

 private:
  FreeMerges(const TextSymbols& symbols, std::span<const Merge> merges, std::unique_ptr<PairRivals> pairs);
  TextSymbols::Read put_symbols(std::string_view text, TextSymbols::Unknown unknown, Room& room) const;

  struct Selected {
    bool any = false, rest = false, same = false;
  };
  // A round: pairs that nothing can come before are found; results are put in their places and what is left
  // closes up, which gives how many pairs are stale; and what is known of those is looked for.
  template <class Wide>
  bool merge_by(Room& room) const;
  struct OneByOne;
  struct Avx2;
  struct Avx512;
  static void select_one_by_one(Room& room);
  static void select_repeated(Room& room);

  std::unique_ptr<PairRivals> pairs_;
  const TextSymbols& symbols_;
  LargeVector<uint32_t> results_;              // By rank.
  LargeVector<PairRivals::Found> byte_pairs_;  // First << 8 | second.
};

}  // namespace holdfast::token
