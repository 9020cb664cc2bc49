#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "base/ticks.h"
#include "sql/database.h"

namespace holdfast::sql {

class SqliteConnection;

// How often a SQLite file was written to: our own commits are counted, those of other processes are looked
// for now and then, so that who asks at every request waits for no file. Safe from any thread.
class CommitMark {
 public:
  using Open = std::function<Result<std::unique_ptr<SqliteConnection>>()>;

  explicit CommitMark(Open open);
  ~CommitMark();

  void committed() { own_.fetch_add(1); }
  std::optional<uint64_t> now();

 private:
  std::optional<int64_t> look();

  const Open open_;
  const SystemTicks ticks_;
  std::atomic<uint64_t> own_ = 0;
  std::atomic<std::chrono::nanoseconds> looked_at_{std::chrono::nanoseconds{-1}};  // -1: never yet.
  std::atomic<bool> readable_ = false;
  std::atomic<uint64_t> others_ = 0;
  std::mutex mutex_;  // Guards the two below.
  std::unique_ptr<SqliteConnection> connection_;
  std::optional<int64_t> version_;
};

}  // namespace holdfast::sql
