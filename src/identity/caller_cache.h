#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "identity/caller.h"

namespace holdfast::identity {

using TokenDigest = std::array<std::byte, 32>;

// A token that was looked up, as of one generation of the database.
struct CheckedToken {
  Caller caller;
  std::optional<WallTime> ends{};
};

// Tokens that were checked lately, and when each was last used. Holds at most `entries_max`; when full it
// starts anew. Owned by Tokens. Safe from any thread.
class CallerCache {
 public:
  CallerCache(size_t entries_max, std::chrono::milliseconds staleness_max,
              std::chrono::milliseconds last_used_step)
      : entries_max_(entries_max), staleness_max_(staleness_max), last_used_step_(last_used_step) {}

  // Whether nobody read the generation within `staleness_max`, and it is to be tried now; `now` is the
  // Clock's.
  bool is_stale(std::chrono::milliseconds now) const;
  // It could not be read: whether what is known holds all the same, until outage_max has passed since it was.
  bool holds_without(std::chrono::milliseconds now);
  // The database was at `generation` at `asked`; a later one empties the cache.
  void saw(int64_t generation, std::chrono::milliseconds asked);
  std::optional<CheckedToken> find(const TokenDigest& digest) const;
  // Kept only while `generation`, at which it was read, is still the newest seen.
  void keep(const TokenDigest& digest, const CheckedToken& checked, int64_t generation);

  using LastUses = std::vector<std::pair<TokenId, WallTime>>;
  // Notes a use. Now and then, at most every `last_used_step`, gives all that were noted, to be written.
  LastUses used(TokenId token, WallTime at, std::chrono::milliseconds now);
  LastUses take_uses();

 private:
  struct HashDigest {
    size_t operator()(const TokenDigest& digest) const {  // Any eight bytes of an HMAC are as good as random.
      size_t hash = 0;
      std::memcpy(&hash, digest.data(), sizeof hash);
      return hash;
    }
  };

  const size_t entries_max_;
  const std::chrono::milliseconds staleness_max_, last_used_step_;
  mutable std::mutex mutex_;  // Guards all below.
  std::unordered_map<TokenDigest, CheckedToken, HashDigest> entries_;
  int64_t generation_ = 0;
  std::optional<std::chrono::milliseconds> asked_, written_, failed_;
  std::unordered_map<TokenId, WallTime> uses_;
};

}  // namespace holdfast::identity
