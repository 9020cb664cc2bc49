#include "tensor/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::tensor {
namespace {

class Pool final : public Threads {
 public:
  explicit Pool(size_t count) : count_(count) {
    for (size_t i = 1; i < count; ++i) workers_.emplace_back([this] { work(); });
  }

  ~Pool() override {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    ready_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  size_t count() const override { return count_; }

  void run(size_t jobs, const std::function<void(size_t)>& job) override {
    if (workers_.empty() || jobs <= 1 || running_.exchange(true)) {  // Already running: a run within a run.
      for (size_t i = 0; i < jobs; ++i) job(i);
      return;
    }
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      jobs_ = jobs;
      next_ = 0;
    }
    ready_.notify_all();
    take(job, jobs);
    std::unique_lock lock(mutex_);
    job_ = nullptr;  // Who wakes now stays out.
    done_.wait(lock, [this] { return busy_ == 0; });
    running_ = false;
  }

 private:
  void take(const std::function<void(size_t)>& job, size_t jobs) {
    for (size_t i = next_++; i < jobs; i = next_++) job(i);
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ready_.wait(lock, [this] { return stop_ || (job_ != nullptr && next_ < jobs_); });
      if (stop_) return;
      const auto* job = job_;
      const size_t jobs = jobs_;
      ++busy_;
      lock.unlock();
      take(*job, jobs);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  const size_t count_;
  std::atomic<bool> running_ = false;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;  // Guards the five below.
  std::condition_variable ready_, done_;
  const std::function<void(size_t)>* job_ = nullptr;
  size_t jobs_ = 0, busy_ = 0;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Threads> make_threads(size_t count) {
  return std::make_unique<Pool>(std::clamp<size_t>(count, 1, 64));
}

}  // namespace holdfast::tensor
