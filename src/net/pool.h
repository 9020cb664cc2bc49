#pragma once

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/guarded.h"
#include "base/result.h"

namespace holdfast::net {

namespace asio = boost::asio;

// The disk threads: handlers, sinks and sources run here. Who became idle last is woken first, so that a few
// requests at once are answered by a few threads, whose stacks and heaps are in the caches. Owned by the
// server; safe from any thread.
class Pool {
 public:
  Pool(int threads, size_t jobs_waiting_max);
  ~Pool() { join(); }

  // Whether a new request may come in. Work for requests that are in is never refused.
  bool admits() const { return jobs_waiting() < jobs_waiting_max_; }
  size_t jobs_waiting() const { return jobs_waiting_.load(std::memory_order_relaxed); }

  template <class Job>
  void post(Job job) {
    push(std::make_unique<TaskOf<Job>>(std::move(job)));
  }

  // As post, for jobs that come in bursts: one thread is woken for them, which wakes another where more is
  // left.
  template <class Job>
  void post_burst(Job job) {
    push_burst(std::make_unique<TaskOf<Job>>(std::move(job)));
  }

  // What was posted until then is done first.
  void join();

 private:
  // A std::function would have to be copied.
  struct Task {
    virtual ~Task() = default;
    virtual void run() = 0;
  };
  template <class Job>
  struct TaskOf final : Task {
    explicit TaskOf(Job wish) : job(std::move(wish)) {}
    void run() override { job(); }
    Job job;
  };
  struct Worker {
    std::unique_ptr<Task> task;  // Given to it while it was idle.
    bool called = false;         // To what waits.
    std::condition_variable woken;
    std::thread thread;
  };

  void push(std::unique_ptr<Task> task);
  void push_burst(std::unique_ptr<Task> task);
  Worker* call_one();  // Whom to wake; null: nobody is needed, or there.
  void work(Worker& self);
  std::unique_ptr<Task> next(Worker& self);  // Null: the end.

  const size_t jobs_waiting_max_;
  std::atomic<size_t> jobs_waiting_{0};
  std::mutex mutex_;  // Guards all below, and the workers' tasks.
  std::deque<std::unique_ptr<Task>> waiting_;
  std::vector<Worker*> idle_;  // Who came last is at the end.
  bool calling_ = false;       // One was called and has not come yet.
  bool ending_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Runs `work`, which gives a Result, on the pool and comes back to the caller's net thread with it. What
// `work` refers to lives in the caller's frame until then.
template <class Work>
auto on_pool(Pool& pool, Work work) -> asio::awaitable<std::invoke_result_t<Work&>> {
  using Out = std::invoke_result_t<Work&>;
  auto start = [&pool](auto handler, Work job) {
    auto executor = asio::get_associated_executor(handler);
    pool.post([executor, handler = std::move(handler), job = std::move(job)]() mutable {
      Out out = guarded(job);
      asio::post(executor, [handler = std::move(handler), out = std::move(out)]() mutable {
        std::move(handler)(std::move(out));
      });
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Out)>(start, asio::use_awaitable,
                                                                        std::move(work));
}

// One job on the pool that runs while its net thread does something else. Belongs to a coroutine on
// `context`, which waits for it before it leaves.
template <class Out>
class PoolJob {
 public:
  PoolJob(Pool& pool, asio::io_context& context)
      : pool_(pool), context_(context), ended_(context, asio::steady_timer::time_point::max()) {}
  ~PoolJob() { CHECK(!running_); }

  bool started() const { return running_ || out_.has_value(); }  // And not yet waited for.

  template <class Work>
  void start(Work work) {
    CHECK(!running_ && !out_);
    running_ = true;
    pool_.post([this, work = std::move(work)]() mutable {
      asio::post(context_, [this, out = guarded(work)]() mutable {
        out_ = std::move(out);
        running_ = false;
        ended_.cancel();
      });
    });
  }

  asio::awaitable<Out> wait() {
    boost::system::error_code cancelled;
    while (running_) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    Out out = std::move(*out_);
    out_.reset();
    co_return out;
  }

 private:
  Pool& pool_;
  asio::io_context& context_;
  asio::steady_timer ended_;  // Never expires: cancelled when the job ends.
  std::optional<Out> out_;
  bool running_ = false;
};

}  // namespace holdfast::net
