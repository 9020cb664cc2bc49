#include "net/pool.h"

#include <utility>

namespace holdfast::net {

Pool::Pool(int threads, size_t jobs_waiting_max) : jobs_waiting_max_(jobs_waiting_max) {
  workers_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    Worker& made = *workers_.back();
    made.thread = std::thread([this, &made] { work(made); });
  }
}

void Pool::push(std::unique_ptr<Task> task) {
  Worker* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      jobs_waiting_.fetch_add(1, std::memory_order_relaxed);
      waiting_.push_back(std::move(task));
    } else {
      woken = idle_.back();
      idle_.pop_back();
      woken->task = std::move(task);
    }
  }
  if (woken != nullptr) woken->woken.notify_one();  // It ends only in `join`.
}

Pool::Worker* Pool::call_one() {
  if (calling_ || waiting_.empty() || idle_.empty()) return nullptr;
  Worker* called = idle_.back();
  idle_.pop_back();
  called->called = calling_ = true;
  return called;
}

void Pool::push_burst(std::unique_ptr<Task> task) {
  Worker* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    jobs_waiting_.fetch_add(1, std::memory_order_relaxed);
    waiting_.push_back(std::move(task));
    woken = call_one();
  }
  if (woken != nullptr) woken->woken.notify_one();
}

std::unique_ptr<Pool::Task> Pool::next(Worker& self) {
  std::unique_lock lock(mutex_);
  while (waiting_.empty()) {
    if (ending_) return nullptr;
    idle_.push_back(&self);
    self.woken.wait(lock, [&] { return self.task != nullptr || self.called || ending_; });
    if (std::exchange(self.called, false)) calling_ = false;
    if (self.task != nullptr) return std::move(self.task);
  }
  jobs_waiting_.fetch_sub(1, std::memory_order_relaxed);
  std::unique_ptr<Task> first = std::move(waiting_.front());
  waiting_.pop_front();
  Worker* more = call_one();
  lock.unlock();
  if (more != nullptr) more->woken.notify_one();
  return first;
}

void Pool::work(Worker& self) {
  while (const std::unique_ptr<Task> task = next(self)) task->run();
}

void Pool::join() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    idle_.clear();
    for (const auto& worker : workers_) worker->woken.notify_one();
  }
  for (const auto& worker : workers_)
    if (worker->thread.joinable()) worker->thread.join();
}

}  // namespace holdfast::net
