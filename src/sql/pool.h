#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::sql {

// Of both engines: how many read at once, and how long a caller waits for its turn.
inline constexpr size_t readers_max = 8;
inline constexpr std::chrono::milliseconds read_wait_max{10'000}, write_wait_max{30'000};

// Connections that threads take in turns, opened when first needed, never more than `size_max`. Safe from any
// thread.
template <class Connection>
class Pool {
 public:
  using Open = std::function<Result<std::unique_ptr<Connection>>()>;

  Pool(size_t size_max, std::chrono::milliseconds wait_max, Open open)
      : size_max_(size_max), wait_max_(wait_max), open_(std::move(open)) {}

  // A connection for the life of the lease. One that is broken is closed instead of handed on.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->give_back(std::move(connection_));
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  // dependency_failed when none came free in time: also what a read inside of reads meets instead of a
  // deadlock.
  Result<Lease> take() {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, wait_max_, [this] { return !idle_.empty() || open_count_ < size_max_; }))
        return fail(Reason::dependency_failed, "the database is busy");
      if (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        return Lease(*this, std::move(connection));
      }
      ++open_count_;
    }
    auto opened = open_();
    if (!opened.ok()) {
      give_back(nullptr);
      return std::move(opened).error();
    }
    return Lease(*this, std::move(opened).value());
  }

 private:
  void give_back(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      if (connection != nullptr && connection->usable())
        idle_.push_back(std::move(connection));
      else
        --open_count_;
    }
    changed_.notify_one();
  }

  const size_t size_max_;
  const std::chrono::milliseconds wait_max_;
  const Open open_;
  std::mutex mutex_;  // Guards the two below.
  std::vector<std::unique_ptr<Connection>> idle_;
  size_t open_count_ = 0;
  std::condition_variable changed_;
};

}  // namespace holdfast::sql
