#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "govern/rows.h"
#include "sql/kept_reads.h"

namespace holdfast::govern {

// Data that a release was judged on which may answer.
struct JudgedOn {
  int64_t release = 0;
  std::string dataset, revision;
};

// A record with all its releases, as it was at one moment.
struct Governed {
  StoredRecord stored;
  std::vector<Release> releases;    // Newest first.
  std::vector<JudgedOn> judged_on;  // Newest first.

  const Release* in(ReleaseState state) const;
  const Release* of_revision(std::string_view commit) const;
};

// Everything that the gates decide by: one moment of the database, shared by those who read it. Immutable.
struct LiveSnapshot {
  int64_t generation = 0;
  std::vector<Governed> records;
  std::multimap<int64_t, size_t> by_repository;  // Model → index into records.

  std::vector<const Governed*> of_repository(int64_t repository) const;
  const Governed* named(std::string_view record) const;
};

// Keeps the newest snapshot: the generation is asked for once anything was committed, the rest only when it
// was raised, so that a decision counts at once, and one of another process as soon as it is seen
// (sql::commits_seen_within; at once on PostgreSQL). Safe from any thread.
class LiveReleases {
 public:
  explicit LiveReleases(sql::Database& database) : database_(database), generation_(database) {}
  Result<std::shared_ptr<const LiveSnapshot>> look();

 private:
  sql::Database& database_;
  sql::KeptReads<int, int64_t> generation_;  // Under 0.
  std::mutex mutex_;                         // Guards snapshot_.
  std::shared_ptr<const LiveSnapshot> snapshot_;
};

// Which side of a split a key falls on: the same key, the same side, evenly over keys.
bool takes_canary(std::string_view record, std::string_view key, double percent);

}  // namespace holdfast::govern
