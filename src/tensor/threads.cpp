#include "tensor/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::tensor {
namespace {

// How long a thread looks for the next loop, or for the end of one, before it sleeps: the products of a model
// follow each other within microseconds, and waking a thread takes longer than that. Some 50 microseconds.
constexpr int looks = 3000;

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
      ++loops_;
    }
    if (asleep_ > 0) ready_.notify_all();
    take(job, jobs);
    {
      std::lock_guard lock(mutex_);
      job_ = nullptr;  // Who wakes now stays out.
    }
    for (int i = 0; i < looks && busy_ > 0; ++i) __builtin_ia32_pause();
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [this] { return busy_ == 0; });
    }
    running_ = false;
  }

 private:
  void take(const std::function<void(size_t)>& job, size_t jobs) {
    for (size_t i = next_++; i < jobs; i = next_++) job(i);
  }

  void work() {
    uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      seen = loops_;
      if (!stop_ && (job_ == nullptr || next_ >= jobs_)) {
        lock.unlock();
        for (int i = 0; i < looks && loops_ == seen; ++i) __builtin_ia32_pause();
        lock.lock();
      }
      ++asleep_;
      ready_.wait(lock, [this] { return stop_ || (job_ != nullptr && next_ < jobs_); });
      --asleep_;
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
  std::atomic<uint64_t> loops_ = 0;  // Begun so far.
  std::atomic<size_t> busy_ = 0;     // Threads inside a loop; changes under mutex_.
  std::atomic<size_t> asleep_ = 0;   // Changes under mutex_.
  std::mutex mutex_;                 // Guards the four below.
  std::condition_variable ready_, done_;
  const std::function<void(size_t)>* job_ = nullptr;
  size_t jobs_ = 0;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Threads> make_threads(size_t count) {
  return std::make_unique<Pool>(std::clamp<size_t>(count, 1, 64));
}

}  // namespace holdfast::tensor
