#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.h"
#include "sql/database.h"

namespace holdfast::sql {

// What was read of a database, for as long as nothing was committed to it; at most `entries_max`, then anew.
// Where the database cannot tell, everything is read each time. Safe from any thread.
template <class Key, class Value>
class KeptReads {
 public:
  explicit KeptReads(Database& database, size_t entries_max = 1024)
      : database_(database), entries_max_(entries_max) {}

  // `read` gives a Result<Value>. The mark is taken before it reads: what is committed meanwhile is never
  // hidden by what it then keeps.
  template <class LookedUp, class Read>
  Result<Value> get(const LookedUp& key, const Read& read) {
    const std::optional<uint64_t> mark = database_.mark();
    if (!mark) return read();
    {
      const std::lock_guard lock(mutex_);
      if (*mark > mark_) {
        entries_.clear();
        mark_ = *mark;
      } else if (const auto found = entries_.find(key); *mark == mark_ && found != entries_.end()) {
        return found->second;
      }
    }
    Result<Value> value = read();
    if (!value.ok()) return value;
    const std::lock_guard lock(mutex_);
    if (*mark != mark_) return value;
    if (entries_.size() >= entries_max_) entries_.clear();
    entries_.insert_or_assign(Key(key), value.value());
    return value;
  }

 private:
  Database& database_;
  const size_t entries_max_;
  std::mutex mutex_;  // Guards the two below.
  uint64_t mark_ = 0;
  std::map<Key, Value, std::less<>> entries_;
};

}  // namespace holdfast::sql
