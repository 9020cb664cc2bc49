#include "token/fast/backtrack_bpe.h"

#include <algorithm>

namespace holdfast::token {
namespace {

// Places where a token would end that leads nowhere.
class ShortBlocked {
 public:
  bool has(size_t at) const { return (bits_ >> at & 1U) != 0; }
  void put(size_t at) { bits_ |= uint64_t{1} << at; }

 private:
  uint64_t bits_ = 0;
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
                           const PairTable& pairs)
    : pairs_(pairs) {
  uint32_t last = 0;
  for (const Symbol& symbol : symbols) last = std::max(last, symbol.id);
  for (const Merge& merge : merges) last = std::max({last, merge.left, merge.right, merge.result});
  parts_.resize(size_t{last} + 1);
  for (const Symbol& symbol : symbols) {
    parts_[symbol.id].bytes = static_cast<uint32_t>(symbol.bytes.size());
    parts_[symbol.id].begin = static_cast<uint32_t>(arena_.size());
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
      __builtin_prefetch(parts_.data() + later.left);
      __builtin_prefetch(parts_.data() + later.right);
      pairs.prefetch(later.left, later.right);
    }
    const Merge& merge = merges[rank];
    if (!makes(merge, rank)) continue;
    const Part &left = parts_[merge.left], &right = parts_[merge.right];
    Part& made = parts_[merge.result];
    made = {merge.left,      merge.right,
            rank + 1,        left.bytes + right.bytes,
            PairTable::none, static_cast<uint32_t>(arena_.size())};
    arena_.append(arena_, left.begin, left.bytes);
    arena_.append(arena_, right.begin, right.bytes);
    known.push_back(merge.result);
  }
  for (const uint32_t id : known) entries.push_back({bytes_of(id), id});
  tree_ = PrefixTree(entries);
  for (const uint32_t id : known) {
    const std::string_view bytes = bytes_of(id);
    PrefixTree::Node node = tree_.start();
    for (const char letter : bytes.substr(0, bytes.size() - 1)) {
      node = tree_.step(node, static_cast<uint8_t>(letter));
      if (node.has_value()) parts_[id].shorter = node.value();
    }
  }
}

// Whether merging the bytes of both tokens comes to these two, by merges of a rank below `limit` at the end.
inline bool BacktrackBpe::fits(uint32_t left, uint32_t right, uint32_t limit) const {
  const Part* const parts = parts_.data();
  while (true) {
    if (pairs_.rank_of(left, right) < limit) return false;
    const Part &a = parts[left], &b = parts[right];
    // What came last is undone; of one merge the one on the right. Before it, what was next to each other was
    // there to be merged: by a lower rank, or by this one further left.
    if (a.time > b.time) {
      limit = a.time - 1;
      left = a.right;
    } else {
      if (b.time == 0) return true;
      limit = b.time;
      right = b.left;
    }
  }
}

// Whether merging the bytes of the result ends with this merge, and its parts came before it.
bool BacktrackBpe::makes(const Merge& merge, uint32_t rank) const {
  if (has(merge.result) || !has(merge.left) || !has(merge.right)) return false;
  // A pair that is listed again has its later rank.
  return pairs_.rank_of(merge.left, merge.right) == rank && fits(merge.left, merge.right, no_merge);
}

inline uint32_t BacktrackBpe::longest(const uint8_t* at, const uint8_t* end) const {
  uint32_t out = PairTable::none;
  PrefixTree::Node node = tree_.start();
  while (at < end) {
    node = tree_.step(node, *at++);
    if (node.is_none()) break;
    if (node.has_value()) out = node.value();
  }
  return out;
}

template <class Blocked>
std::optional<size_t> BacktrackBpe::run(std::string_view text, uint32_t* ids, uint32_t* ends, size_t count,
                                        uint32_t token, Blocked blocked) const {
  const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = begin + text.size();
  const Part* const parts = parts_.data();
  uint32_t at = count > 0 ? ends[count - 1] : 0;
  while (true) {
    uint32_t next = 0;
    while (token != PairTable::none) {
      next = at + parts[token].bytes;
      if (!blocked.has(next) && (count == 0 || fits(ids[count - 1], token, any_merge))) break;
      token = parts[token].shorter;
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
    if (at == text.size()) return count;
    token = longest(begin + at, end);
  }
}

// Takes the longest token again and again, a step of one text after a step of the other.
void BacktrackBpe::take_longest(std::span<Job> jobs) const {
  struct Walk {
    const uint8_t* at = nullptr;
    const uint8_t* end = nullptr;
    const uint8_t* best_end = nullptr;
    uint32_t best = PairTable::none, place = 0;
    Job* job = nullptr;
  };
  constexpr size_t walks_max = 16;
  Walk walks[walks_max];
  size_t active = 0, next = 0;
  const auto begin = [&](Walk& walk, Job& job) {
    walk.at = reinterpret_cast<const uint8_t*>(job.text.data());
    walk.end = walk.at + job.text.size();
    walk.best = PairTable::none;
    walk.job = &job;
    walk.place = tree_.place_of_step(tree_.start(), *walk.at);
  };
  while (active < walks_max && next < jobs.size()) begin(walks[active++], jobs[next++]);
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
      Job& job = *walk.job;
      bool done = true;
      if (walk.best == PairTable::none) {
        job.count = 0;
      } else {
        __builtin_prefetch(parts_.data() + walk.best);
        if (job.count > 0) pairs_.prefetch(job.ids[job.count - 1], walk.best);
        job.ids[job.count] = walk.best;
        job.ends[job.count++] =
            static_cast<uint32_t>(walk.best_end - reinterpret_cast<const uint8_t*>(job.text.data()));
        done = walk.best_end == walk.end;
      }
      if (!done) {
        walk.at = walk.best_end;
        walk.best = PairTable::none;
        walk.place = tree_.place_of_step(tree_.start(), *walk.at);
      } else if (next < jobs.size()) {
        begin(walk, jobs[next++]);
      } else {
        walk = walks[--active];
        --i;
      }
    }
}

void BacktrackBpe::tokenize_all(std::span<Job> jobs) const {
  take_longest(jobs);
  // Where all neighbours fit, that was it.
  for (Job& job : jobs) {
    for (size_t i = 1; i < job.count; ++i)
      if (!fits(job.ids[i - 1], job.ids[i], any_merge)) {
        const uint32_t shorter = parts_[job.ids[i]].shorter;
        job.count = run(job.text, job.ids, job.ends, i, shorter, ShortBlocked()).value_or(0);
        break;
      }
  }
}

std::optional<size_t> BacktrackBpe::tokenize(std::string_view text, uint32_t* ids, uint32_t* ends,
                                             std::vector<uint64_t>& blocked) const {
  if (text.empty()) return 0;
  const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
  const uint32_t first = longest(begin, begin + text.size());
  if (text.size() <= job_bytes_max) return run(text, ids, ends, 0, first, ShortBlocked());
  blocked.assign(text.size() / 64 + 1, 0);
  return run(text, ids, ends, 0, first, LongBlocked(blocked.data()));
}

}  // namespace holdfast::token
