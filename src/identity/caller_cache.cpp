#include "identity/caller_cache.h"

#include <algorithm>

#include "identity/outage.h"

namespace holdfast::identity {
namespace {

constexpr std::chrono::milliseconds try_again{1'000};  // After it could not be read.

}  // namespace

bool CallerCache::is_stale(std::chrono::milliseconds now) const {
  const std::lock_guard lock(mutex_);
  if (!asked_ || now - *asked_ > outage_max) return true;
  return now - *asked_ >= staleness_max_ && (!failed_ || now - *failed_ >= try_again);
}

bool CallerCache::holds_without(std::chrono::milliseconds now) {
  const std::lock_guard lock(mutex_);
  failed_ = now;
  return asked_ && now - *asked_ <= outage_max;
}

void CallerCache::saw(int64_t generation, std::chrono::milliseconds asked) {
  const std::lock_guard lock(mutex_);
  if (generation < generation_) return;  // A thread that asked long ago.
  if (generation > generation_) entries_.clear();
  generation_ = generation;
  asked_ = std::max(asked_.value_or(asked), asked);
  failed_.reset();
}

std::optional<CheckedToken> CallerCache::find(const TokenDigest& digest) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(digest);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void CallerCache::keep(const TokenDigest& digest, const CheckedToken& checked, int64_t generation) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  if (entries_.size() >= entries_max_) entries_.clear();
  entries_.insert_or_assign(digest, checked);
}

CallerCache::LastUses CallerCache::used(TokenId token, WallTime at, std::chrono::milliseconds now) {
  const std::lock_guard lock(mutex_);
  if (uses_.size() < entries_max_) uses_.insert_or_assign(token, at);
  if (failed_ || (written_ && now - *written_ < last_used_step_)) return {};
  written_ = now;
  LastUses uses(uses_.begin(), uses_.end());
  uses_.clear();
  return uses;
}

CallerCache::LastUses CallerCache::take_uses() {
  const std::lock_guard lock(mutex_);
  LastUses uses(uses_.begin(), uses_.end());
  uses_.clear();
  return uses;
}

}  // namespace holdfast::identity
