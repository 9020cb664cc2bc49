#include "token/fast/free_merges.h"

#include <utility>

#include "token/fast/free_merges_wide.h"

namespace holdfast::token {
namespace {

bool has_bit(std::span<const uint16_t> bits, size_t at) { return (bits[at / 16] >> at % 16 & 1U) != 0; }

}  // namespace

// The plain twin of free_merges_avx2.cpp and free_merges_avx512.cpp.
struct FreeMerges::OneByOne {
  static Selected select(Room& room);
  static size_t join(const FreeMerges& merges, Room& room);
  static void look(const FreeMerges& merges, Room& room, size_t stale);
};

FreeMerges::Room::Room() {
  for (Column* const column : {&ranks_, &of_right_, &of_left_})
    std::fill_n(column->places.begin(), block, PairRivals::no_rival);
}

// After the last place that is used.
void FreeMerges::Room::put_nothing(size_t at) {
  ids()[at] = PairTable::no_id;
  for (uint32_t* const column : {ranks(), of_right(), of_left()})
    std::fill_n(column + at, block, PairRivals::no_rival);
}

std::unique_ptr<FreeMerges> FreeMerges::make(const TextSymbols& symbols, std::span<const Merge> merges) {
  auto pairs = PairRivals::make(merges);
  if (!pairs) return nullptr;
  return std::unique_ptr<FreeMerges>(new FreeMerges(symbols, merges, std::move(pairs)));
}

FreeMerges::FreeMerges(const TextSymbols& symbols, std::span<const Merge> merges,
                       std::unique_ptr<PairRivals> pairs)
    : pairs_(std::move(pairs)), symbols_(symbols), byte_pairs_(size_t{256} * 256) {
  for (const Merge& merge : merges) results_.push_back(merge.result);
  results_.resize(std::max<size_t>(results_.size(), 1));
  const std::array<uint32_t, 256>& bytes = symbols_.bytes();
  for (size_t left = 0; left < 256; ++left)
    for (size_t right = 0; right < 256 && bytes[left] != PairTable::none; ++right)
      if (bytes[right] != PairTable::none)
        byte_pairs_[left << 8U | right] = pairs_->find(bytes[left], bytes[right]);
}

// What is known of pairs with characters of several bytes is looked for when all are put.
TextSymbols::Read FreeMerges::put_symbols(std::string_view text, TextSymbols::Unknown unknown,
                                          Room& room) const {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  uint32_t *const ids = room.ids(), *const begins = room.begins();
  const size_t first = room.count_;
  size_t used = first;
  const auto put = [&](uint32_t id, size_t begin) {
    if (used + 1 >= symbols_max) return false;
    begins[used] = static_cast<uint32_t>(begin);
    ids[used++] = id;
    return true;
  };
  const TextSymbols::Read read = symbols_.read(text, put, unknown);
  if (used == first) return read;
  begins[used] = static_cast<uint32_t>(read.bytes);
  for (size_t i = first; i + 1 < used; ++i) {
    if (read.any_wide) {
      room.stale_[room.stale_count_++] = static_cast<uint32_t>(i);
      continue;
    }
    // Pairs with what is no symbol are none.
    const PairRivals::Found& found = byte_pairs_[size_t{bytes[begins[i]]} << 8U | bytes[begins[i + 1]]];
    room.ranks()[i] = found.rank;
    room.of_right()[i] = found.of_right;
    room.of_left()[i] = found.of_left;
  }
  ids[used] = PairTable::no_id;
  for (size_t i = used - 1; i <= used; ++i)
    room.ranks()[i] = room.of_right()[i] = room.of_left()[i] = PairRivals::no_rival;
  room.count_ = used + 1;
  return read;
}

size_t FreeMerges::put(std::string_view text, Room& room) const {
  const TextSymbols::Read read = put_symbols(text, TextSymbols::Unknown::refuse, room);
  return read.refused ? 0 : read.bytes;
}

FreeMerges::Put FreeMerges::put_whole(std::string_view text, Room& room) const {
  const size_t count = room.count_, stale_count = room.stale_count_;
  const TextSymbols::Read read = put_symbols(text, TextSymbols::Unknown::put, room);
  if (read.bytes == text.size()) return Put::done;
  room.count_ = count;
  room.stale_count_ = stale_count;
  return read.refused ? Put::refused : Put::no_room;
}

void FreeMerges::run(std::span<BpeJob> jobs, Instructions instructions) const {
  Room room;
  std::array<BpeJob*, symbols_max> put;
  size_t count = 0;
  const auto merge_all = [&] {
    const bool good = merge(room, instructions);
    for (BpeJob* const job : std::span(put).first(good ? count : 0)) {
      job->count = room.take(job->ids, job->ends);
      job->is_done = true;
    }
    room.clear();
    count = 0;
  };
  for (BpeJob& job : jobs) {
    if (job.is_done) continue;
    Put made = put_whole(job.text, room);
    if (made == Put::no_room && count > 0) {
      merge_all();
      made = put_whole(job.text, room);
    }
    if (made == Put::done) put[count++] = &job;
  }
  if (count > 0) merge_all();
}

template <class Wide>
bool FreeMerges::merge_by(Room& room) const {
  constexpr int rounds_max = 64;
  room.put_nothing(room.count_);
  room.at_ = 0;
  Wide::look(*this, room, room.stale_count_);
  for (int round = 0; round < rounds_max; ++round) {
    const Selected selected = Wide::select(room);
    if (!selected.rest) return true;
    if (!selected.any) select_one_by_one(room);
    if (selected.same) select_repeated(room);
    Wide::look(*this, room, Wide::join(*this, room));
  }
  return false;
}

bool FreeMerges::merge(Room& room, Instructions instructions) const {
  switch (instructions) {
    case Instructions::avx512:
      return merge_by<Avx512>(room);
    case Instructions::avx2:
      return merge_by<Avx2>(room);
    case Instructions::any:
      break;
  }
  return merge_by<OneByOne>(room);
}

FreeMerges::Selected FreeMerges::OneByOne::select(Room& room) {
  Selected out;
  for (size_t block = 0; block * Room::block < room.count_; ++block) {
    uint32_t merged = 0, free_of_right = 0, same = 0;
    for (size_t i = 0; i < Room::block; ++i) {
      const size_t at = block * Room::block + i;
      // Of the two before and the two after it, too.
      const uint32_t *const rank = room.ranks() + at, *const of_right = room.of_right() + at,
                            *const of_left = room.of_left() + at;
      if (*rank >= PairRivals::no_rank) continue;
      const uint32_t left = std::min(rank[-1], std::max(of_right[-1], std::min(rank[-2], of_right[-2])));
      const uint32_t right = std::min(rank[1], std::max(of_left[1], std::min(rank[2], of_left[2])));
      out.rest = true;
      free_of_right |= static_cast<uint32_t>(*rank <= right) << i;
      merged |= static_cast<uint32_t>(*rank <= right && *rank < left) << i;
      same |= static_cast<uint32_t>(*rank == rank[-1]) << i;
    }
    room.merged_[block] = static_cast<uint16_t>(merged);
    room.free_of_right_[block] = static_cast<uint16_t>(free_of_right);
    room.same_[block] = static_cast<uint16_t>(same);
    room.merged_[block + 1] = 0;
    out.any |= merged != 0;
    out.same |= same != 0;
  }
  return out;
}

size_t FreeMerges::OneByOne::join(const FreeMerges& merges, Room& room) {
  size_t out = 0, stale = 0;
  bool is_taken = false;  // By the pair before.
  for (size_t i = 0; i < room.count_; ++i) {
    const bool is_merged = has_bit(room.merged_, i);
    if (!std::exchange(is_taken, is_merged)) {
      room.ids()[out] = is_merged ? merges.results_[room.ranks()[i]] : room.ids()[i];
      room.begins()[out] = room.begins()[i];
      room.ranks()[out] = room.ranks()[i];
      room.of_right()[out] = room.of_right()[i];
      room.of_left()[out] = room.of_left()[i];
      if (is_merged || has_bit(room.merged_, i + 1)) room.stale_[stale++] = static_cast<uint32_t>(out);
      ++out;
    }
  }
  room.count_ = out;
  room.put_nothing(out);
  return stale;
}

void FreeMerges::OneByOne::look(const FreeMerges& merges, Room& room, size_t stale) {
  for (size_t i = 0; i < stale; ++i) {
    const size_t place = room.stale_[i];
    const PairRivals::Found found = merges.pairs_->find(room.ids()[place], room.ids()[place + 1]);
    room.ranks()[place] = found.rank;
    room.of_right()[place] = found.of_right;
    room.of_left()[place] = found.of_left;
  }
}

// Where no pair is surely free by what is two places around it: from one end to the other, which frees the
// least of all at any rate.
void FreeMerges::select_one_by_one(Room& room) {
  const size_t count = room.count_;
  std::fill_n(room.merged_.begin(), count / 16 + 2, uint16_t{0});
  std::fill_n(room.free_of_right_.begin(), count / 16 + 1, uint16_t{0});
  uint32_t least = PairRivals::no_rival;
  for (size_t i = count; i-- > 0;) {
    if (room.ranks()[i] <= least) room.free_of_right_[i / 16] |= static_cast<uint16_t>(1U << i % 16);
    least = std::min(room.ranks()[i], std::max(room.of_left()[i], least));
  }
  least = PairRivals::no_rival;
  for (size_t i = 0; i < count; ++i) {
    if (room.ranks()[i] < std::min(least, PairRivals::no_rank) && has_bit(room.free_of_right_, i))
      room.merged_[i / 16] |= static_cast<uint16_t>(1U << i % 16);
    least = std::min(room.ranks()[i], std::max(room.of_right()[i], least));
  }
}

// Of one pair again and again, as in `aaaa`, the first is merged, the third, and so on.
void FreeMerges::select_repeated(Room& room) {
  for (size_t i = 2; i < room.count_; ++i) {
    if (room.same_[i / 16] == 0) {
      i |= 15;
      continue;
    }
    if (has_bit(room.same_, i) && has_bit(room.same_, i - 1) && has_bit(room.merged_, i - 2) &&
        has_bit(room.free_of_right_, i))
      room.merged_[i / 16] |= static_cast<uint16_t>(1U << i % 16);
  }
}

}  // namespace holdfast::token
