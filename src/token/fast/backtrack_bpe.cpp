#include "token/fast/backtrack_bpe.h"

#include <algorithm>
#include <array>

#include "token/fast/free_merges.h"
#include "token/fast/merge_lanes.h"
#include "token/fast/middling_words.h"
#include "token/fast/short_merges.h"

namespace holdfast::token {
namespace {

// Places where a token would end that leads nowhere.
class ShortBlocked {
 public:
  bool has(size_t at) const { return (bits_[at >> 6U] >> (at & 63U) & 1U) != 0; }
  void put(size_t at) { bits_[at >> 6U] |= uint64_t{1} << (at & 63U); }

 private:
  uint64_t bits_[2] = {0, 0};
};

class LongBlocked {
 public:
  explicit LongBlocked(uint64_t* bits) : bits_(bits) {}
  bool has(size_t at) const { return (bits_[at >> 6U] >> (at & 63U) & 1U) != 0; }
  void put(size_t at) { bits_[at >> 6U] |= uint64_t{1} << (at & 63U); }

 private:
  uint64_t* bits_;
};

constexpr uint32_t any_merge = UINT32_MAX, no_merge = 0;

}  // namespace

BacktrackBpe::BacktrackBpe(std::span<const Symbol> symbols, const std::vector<Merge>& merges,
                           const PairTable& pairs, const UnknownSymbols& unknown)
    : pairs_(pairs), symbols_(unknown), merges_(merges) {
  uint32_t last = 0;
  for (const Symbol& symbol : symbols) last = std::max(last, symbol.id);
  for (const Merge& merge : merges) last = std::max({last, merge.left, merge.right, merge.result});
  parts_.resize(size_t{last} + 1);
  tokens_.resize(size_t{last} + 1);
  for (const Symbol& symbol : symbols) {
    tokens_[symbol.id].bytes = static_cast<uint32_t>(symbol.bytes.size());
    tokens_[symbol.id].begin = static_cast<uint32_t>(arena_.size());
    arena_ += symbol.bytes;
  }
  std::vector<PrefixTree::Entry> entries;
  entries.reserve(symbols.size() + merges.size());
  std::vector<uint32_t> known;
  known.reserve(symbols.size() + merges.size());
  for (const Symbol& symbol : symbols) known.push_back(symbol.id);
  for (uint32_t rank = 0; rank < merges.size(); ++rank) {
    constexpr size_t ahead = 12;
    if (rank + ahead < merges.size()) {
      const Merge& later = merges[rank + ahead];
      __builtin_prefetch(tokens_.data() + later.left);
      __builtin_prefetch(tokens_.data() + later.right);
      pairs.prefetch(later.left, later.right);
    }
    const Merge& merge = merges[rank];
    if (!makes(merge, rank)) continue;
    const Token &left = tokens_[merge.left], &right = tokens_[merge.right];
    parts_[merge.result] = Part(rank + 1, merge.left, merge.right);
    tokens_[merge.result] = {.bytes = left.bytes + right.bytes,
                             .shorter = PairTable::none,
                             .begin = static_cast<uint32_t>(arena_.size())};
    arena_.append(arena_, left.begin, left.bytes);
    arena_.append(arena_, right.begin, right.bytes);
    known.push_back(merge.result);
  }
  for (const uint32_t id : known) entries.push_back({bytes_of(id), id});
  tree_ = PrefixTree(entries);
  one_byte_.resize(256);
  two_bytes_.resize(65536);
  for (size_t first = 0; first < 256; ++first) {
    const PrefixTree::Node node = one_byte_[first] = tree_.step(tree_.start(), static_cast<uint8_t>(first));
    if (node.is_none()) continue;
    for (size_t second = 0; second < 256; ++second)
      two_bytes_[first << 8U | second] = tree_.step(node, static_cast<uint8_t>(second));
  }
  for (const uint32_t id : known) {
    const std::string_view bytes = bytes_of(id);
    PrefixTree::Node node = tree_.start();
    for (const char letter : bytes.substr(0, bytes.size() - 1)) {
      node = tree_.step(node, static_cast<uint8_t>(letter));
      if (node.has_value()) tokens_[id].shorter = node.value();
    }
  }
  for (const Symbol& symbol : symbols) symbols_.put(symbol.id, symbol.bytes);
  lanes_ = std::make_unique<MergeLanes>(symbols_.bytes(), pairs, tree_);
  short_ = std::make_unique<ShortMerges>(symbols_, pairs);
}

BacktrackBpe::~BacktrackBpe() = default;

// Whether merging the bytes of both tokens comes to these two, by merges of a rank below `limit` at the end.
inline bool BacktrackBpe::fits(uint32_t left, uint32_t right, uint32_t limit) const {
  const Part* const parts = parts_.data();
  while (true) {
    if (pairs_.rank_of(left, right) < limit) return false;
    const Part a = parts[left], b = parts[right];
    // What came last is undone; of one merge the one on the right. Before it, what was next to each other was
    // there to be merged: by a lower rank, or by this one further left.
    if (a.time() > b.time()) {
      limit = a.time() - 1;
      left = a.right();
    } else {
      if (b.time() == 0) return true;
      limit = b.time();
      right = b.left();
    }
  }
}

// Whether merging the bytes of the result ends with this merge, and its parts came before it.
bool BacktrackBpe::makes(const Merge& merge, uint32_t rank) const {
  if (has(merge.result) || !has(merge.left) || !has(merge.right)) return false;
  // A pair that is listed again has its later rank.
  return pairs_.rank_of(merge.left, merge.right) == rank && fits(merge.left, merge.right, no_merge);
}

bool BacktrackBpe::stand_together(uint32_t left, uint32_t right, FitCache& fits_known) const {
  const FitCache::Fit known = fits_known.find(left, right);
  if (known != FitCache::Fit::unknown) [[likely]]
    return known == FitCache::Fit::yes;
  const bool out = fits(left, right, any_merge);
  fits_known.put(left, right, out);
  return out;
}

inline uint32_t BacktrackBpe::longest(const uint8_t* at, const uint8_t* end) const {
  PrefixTree::Node node = one_byte_[*at];
  uint32_t out = node.has_value() ? node.value() : PairTable::none;
  if (end - at < 2) return out;
  node = two_bytes_[size_t{at[0]} << 8U | at[1]];
  for (at += 2; !node.is_none(); node = tree_.step(node, *at++)) {
    if (node.has_value()) out = node.value();
    if (at == end) break;
  }
  return out;
}

// The longest tokens that followed each other from some place on: most of them stay.
class BacktrackBpe::Taken {
 public:
  Taken() = default;
  Taken(uint32_t begin, std::span<const uint32_t> ids, std::span<const uint32_t> ends)
      : begin_(begin), ids_(ids), ends_(ends) {}

  // Of the token that began at `at`.
  std::optional<uint32_t> at(uint32_t at) {
    while (next_ < ids_.size() && begin_of(next_) < at) ++next_;
    while (next_ > 0 && begin_of(next_ - 1) >= at) --next_;
    if (next_ == ids_.size() || begin_of(next_) != at) return std::nullopt;
    return ids_[next_];
  }

 private:
  uint32_t begin_of(size_t index) const { return index == 0 ? begin_ : ends_[index - 1]; }

  uint32_t begin_ = 0;
  std::span<const uint32_t> ids_, ends_;
  size_t next_ = 0;
};

template <class Blocked>
std::optional<size_t> BacktrackBpe::run(const Job& job, size_t count, uint32_t token, Blocked blocked,
                                        Taken taken, FitCache& fits_known) const {
  const auto* const begin = reinterpret_cast<const uint8_t*>(job.text.data());
  const uint8_t* const end = begin + job.text.size();
  const Token* const tokens = tokens_.data();
  uint32_t *const ids = job.ids, *const ends = job.ends;
  uint32_t at = count > 0 ? ends[count - 1] : 0;
  while (true) {
    uint32_t next = 0;
    while (token != PairTable::none) {
      next = at + tokens[token].bytes;
      if (!blocked.has(next) && (count == 0 || stand_together(ids[count - 1], token, fits_known))) break;
      token = tokens[token].shorter;
    }
    if (token == PairTable::none) {
      if (count == 0) return std::nullopt;
      blocked.put(at);
      token = ids[--count];
      at = count > 0 ? ends[count - 1] : 0;
      continue;
    }
    ids[count] = token;
    ends[count++] = at = next;
    if (at == job.text.size()) return count;
    const auto known = taken.at(at);
    token = known ? *known : longest(begin + at, end);
  }
}

struct BacktrackBpe::Walk {
  const uint8_t* at = nullptr;
  const uint8_t* end = nullptr;
  const uint8_t* best_end = nullptr;
  uint32_t best = PairTable::none, place = 0;
  Job* job = nullptr;
};

// False where the longest token is found at once.
inline bool BacktrackBpe::begin_walk(Walk& walk) const {
  PrefixTree::Node node = one_byte_[*walk.at];
  walk.best = node.has_value() ? node.value() : PairTable::none;
  walk.best_end = walk.at + 1;
  if (walk.end - walk.at < 2) return false;
  node = two_bytes_[size_t{walk.at[0]} << 8U | walk.at[1]];
  if (node.is_none()) return false;
  walk.at += 2;
  if (node.has_value()) {
    walk.best = node.value();
    walk.best_end = walk.at;
  }
  if (walk.at == walk.end) return false;
  walk.place = tree_.place_of_step(node, *walk.at);
  return true;
}

// Takes the longest token again and again, a step of one text after a step of the other.
void BacktrackBpe::take_longest(std::span<Job> jobs, const FitCache& fits_known) const {
  constexpr size_t walks_max = 16;
  Walk walks[walks_max];
  size_t active = 0, next = 0;
  const auto next_into = [&](Walk& walk) {
    while (next < jobs.size() && (jobs[next].is_done || jobs[next].text.size() > back_bytes_max)) ++next;
    if (next == jobs.size()) return false;
    walk.job = &jobs[next++];
    walk.at = reinterpret_cast<const uint8_t*>(walk.job->text.data());
    walk.end = walk.at + walk.job->text.size();
    return true;
  };
  // Puts down tokens until one has to be walked for; false where there are no more texts.
  const auto go_on = [&](Walk& walk) {
    while (true) {
      Job& job = *walk.job;
      if (walk.best == PairTable::none) {
        job.count = 0;
        walk.best_end = walk.end;
      } else {
        if (job.count > 0) fits_known.prefetch(job.ids[job.count - 1], walk.best);
        job.ids[job.count] = walk.best;
        job.ends[job.count++] =
            static_cast<uint32_t>(walk.best_end - reinterpret_cast<const uint8_t*>(job.text.data()));
      }
      walk.at = walk.best_end;
      if (walk.at == walk.end && !next_into(walk)) return false;
      if (begin_walk(walk)) return true;
    }
  };
  while (active < walks_max && next_into(walks[active])) {
    Walk& walk = walks[active];
    if (begin_walk(walk) || go_on(walk)) ++active;
  }
  while (active > 0)
    for (size_t i = 0; i < active; ++i) {
      Walk& walk = walks[i];
      const PrefixTree::Node node = tree_.read_step(walk.place, *walk.at);
      if (!node.is_none()) [[likely]] {
        ++walk.at;
        if (node.has_value()) {
          walk.best = node.value();
          walk.best_end = walk.at;
        }
        if (walk.at < walk.end) {
          walk.place = tree_.place_of_step(node, *walk.at);
          continue;
        }
      }
      if (!go_on(walk)) {
        walk = walks[--active];
        --i;
      }
    }
}

void BacktrackBpe::tokenize_all(std::span<Job> jobs, FitCache& fits_known) const {
  const Instructions instructions = best_instructions();
  const FreeMerges* const merges = instructions >= Instructions::avx2 ? free_merges(0) : nullptr;
  if (merges != nullptr) merges->run(jobs, instructions);
  short_->run(jobs, instructions);
  MiddlingWords(*this).tokenize(jobs, fits_known);
  take_longest(jobs, fits_known);
  // Where all neighbours fit, that was it.
  for (Job& job : jobs)
    for (size_t i = 1; i < job.count && !job.is_done; ++i)
      if (!stand_together(job.ids[i - 1], job.ids[i], fits_known)) {
        uint32_t ids[back_bytes_max], ends[back_bytes_max];
        const size_t left = job.count - i;
        std::copy_n(job.ids + i, left, ids);
        std::copy_n(job.ends + i, left, ends);
        const Taken taken(job.ends[i - 1], {ids, left}, {ends, left});
        const uint32_t shorter = tokens_[job.ids[i]].shorter;
        job.count = run(job, i, shorter, ShortBlocked(), taken, fits_known).value_or(0);
        break;
      }
}

std::optional<size_t> BacktrackBpe::tokenize(std::string_view text, uint32_t* ids, uint32_t* ends,
                                             Room& room) const {
  if (text.empty()) return 0;
  const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
  const uint32_t first = longest(begin, begin + text.size());
  const Job job{text, ids, ends};
  if (text.size() <= back_bytes_max) return run(job, 0, first, ShortBlocked(), Taken(), room.fits);
  room.blocked.assign(text.size() / 64 + 1, 0);
  return run(job, 0, first, LongBlocked(room.blocked.data()), Taken(), room.fits);
}

}  // namespace holdfast::token
