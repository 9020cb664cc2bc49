#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "observe/drift_book.h"
#include "observe/series.h"
#include "serve/release_gate.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::observe {

// Whether the inputs of every record's endpoint are still what they were. `offer` is the requests': it puts
// aside a copy or drops it. `tick` is the rounds': it makes numbers of the copies, forgets them, and sets the
// gauges. References are kept in the database. Safe from any thread.
class Drift {
 public:
  struct Parts {
    const Secret& instance_key;
    const SeriesNames& names;
    Log& log;
    Metrics& metrics;
  };
  explicit Drift(const Parts& parts, DriftBook::Options options = {});

  static constexpr size_t records_max = 48;
  static constexpr size_t waiting_max = 4096, waiting_bytes_max = 16 << 20, call_bytes_max = 64 << 10;

  void offer(const serve::ServedCall& call);
  // References come from the database at the first tick, and go there when they are complete.
  Status tick(sql::Database& database);

  DriftBook::Figures figures(const std::string& record) const;  // Of nothing, where nothing was asked yet.
  // What comes next is what will be compared with.
  Status begin_again(sql::Database& database, const std::string& record);

 private:
  struct Waiting {
    std::string record, input, output;
  };
  Status load(sql::Database& database);
  Status save(sql::Database& database, const std::string& record, const std::string& body) const;
  void show(const std::string& record, const DriftBook::Figures& figures);

  Parts parts_;
  DriftBook::Options options_;
  Counter& dropped_;
  mutable std::mutex mutex_;  // Guards the four below.
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  std::map<std::string, DriftBook> books_;
  bool loaded_ = false;
};

}  // namespace holdfast::observe
