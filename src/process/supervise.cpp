#include "process/supervise.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace holdfast::process {

namespace {

constexpr std::chrono::milliseconds slice{20};

class ThreadSupervisor final : public Supervisor {
 public:
  ThreadSupervisor(SupervisorOptions options, Supervised& supervised, const Clock& clock, Log& log)
      : options_(std::move(options)),
        supervised_(supervised),
        clock_(clock),
        log_(log),
        backoff_(options_.backoff) {
    thread_ = std::thread([this] { keep_running(); });
  }
  ~ThreadSupervisor() override { stop(); }

  ChildState state() const override { return state_.load(); }
  uint64_t starts() const override { return starts_.load(); }
  void beat() override { last_beat_ = clock_.now(); }
  void restart() override { restart_ = true; }
  void stop() override {
    stop_ = true;
    std::lock_guard lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  void keep_running() {
    while (!stop_) {
      const auto began = clock_.now();
      run_once();
      state_ = ChildState::waiting;
      pause(backoff_.after(clock_.now() - began));
    }
    state_ = ChildState::stopped;
  }

  void run_once() {
    restart_ = false;
    auto prepared = supervised_.prepare();
    if (!prepared.ok())
      return log_.failure("child_not_started", prepared.error(), {{"child", options_.name}});
    auto child = Child::spawn(prepared.value());
    if (!child.ok()) return log_.failure("child_not_started", child.error(), {{"child", options_.name}});
    ++starts_;
    last_beat_ = clock_.now();
    state_ = ChildState::running;
    supervised_.started(child.value());
    const Exit exit = watch(child.value());
    if (!stop_) {
      log_.event(exit.clean() || restart_ ? LogLevel::info : LogLevel::warn, "child_ended",
                 {{"child", options_.name}, {"exit_code", exit.code}, {"signal", exit.signal}});
    }
    supervised_.ended(exit);
  }

  Exit watch(Child& child) {
    while (!stop_ && !restart_) {
      const auto ended = child.wait(clock_, clock_.now() + slice);
      if (!ended.ok()) break;
      if (ended.value()) return *ended.value();
      const auto silent = clock_.now() - last_beat_.load();
      if (options_.heartbeat_timeout.count() > 0 && silent > options_.heartbeat_timeout) {
        log_.warn("child_silent", {{"child", options_.name}, {"silent_ms", silent.count()}});
        child.signal_group(SIGKILL);
      }
    }
    return child.stop(clock_, options_.stop_grace);
  }

  void pause(std::chrono::milliseconds length) {
    const auto until = clock_.now() + length;
    while (!stop_ && !restart_ && clock_.now() < until) std::this_thread::sleep_for(slice);
  }

  const SupervisorOptions options_;
  Supervised& supervised_;
  const Clock& clock_;
  Log& log_;
  Backoff backoff_;
  std::atomic<ChildState> state_{ChildState::waiting};
  std::atomic<uint64_t> starts_{0};
  std::atomic<bool> stop_{false}, restart_{false};
  std::atomic<std::chrono::milliseconds> last_beat_{std::chrono::milliseconds{0}};
  std::mutex join_mutex_;  // Guards thread_ once it runs.
  std::thread thread_;
};

}  // namespace

std::chrono::milliseconds Backoff::after(std::chrono::milliseconds ran) {
  if (ran >= options_.stable_after) next_ = options_.first;
  const auto wait = next_;
  next_ = std::min(next_ * 2, options_.most);
  return wait;
}

std::unique_ptr<Supervisor> supervise(SupervisorOptions options, Supervised& supervised, const Clock& clock,
                                      Log& log) {
  return std::make_unique<ThreadSupervisor>(std::move(options), supervised, clock, log);
}

}  // namespace holdfast::process
