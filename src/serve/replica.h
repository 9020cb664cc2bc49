#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/ticks.h"
#include "process/supervise.h"
#include "serve/serve_probe.h"
#include "serve/serving_copy.h"
#include "serve/slot_queue.h"
#include "serve/worker_process.h"

namespace holdfast::serve {

struct ReplicaParts {
  const ServedModel& model;
  const SlotOptions& options;
  // Makes the copy that the worker maps; called before every start, by any replica's thread.
  const std::function<Result<io::Path>()>& prepare;
  SlotQueue& queue;
  WorkerStarter& starter;
  ServeProbe& probe;
  const Clock& clock;
  const Ticks& ticks;
  Log& log;
};

// One worker of a model and the thread that owns it: starts it, asks it what the queue gives, and starts
// another after it ended, hung or went silent, at once where it had answered, else each time after a longer
// pause. What it had is asked again elsewhere. Borrows all its parts. Its destruction ends the worker.
class Replica {
 public:
  // `place`: of the workers there may be at once; what it is busy with is counted under it.
  Replica(const ReplicaParts& parts, size_t place);
  ~Replica();

  size_t place() const { return place_; }
  void keep_warm(bool on) { parts_.queue.warm(seat_, on); }
  // Takes nothing more and ends when it has written what it writes.
  void leave() { parts_.queue.leave(seat_); }
  bool left() const { return left_; }  // Its thread has ended, or is about to.

 private:
  void run(std::stop_token stop);
  void start();
  void serve(std::vector<Slice> batch);
  void begin(std::vector<Generation> all);
  void listen();
  void tell(GenerateEvent event);
  void drop_unwanted();
  void broke(const Error& error);

  const ReplicaParts parts_;
  const size_t place_;
  SlotQueue::Seat seat_;
  std::atomic<bool> left_ = false;

  // The thread's own.
  std::unique_ptr<Worker> worker_;
  std::map<uint64_t, Generation> writing_;
  uint64_t last_generation_ = 0;
  std::chrono::nanoseconds written_at_{-1};  // When it last looked while it wrote; -1: it did not write.
  std::chrono::milliseconds heard_at_{};     // When the worker last said something while it wrote.
  process::Backoff backoff_;
  std::chrono::milliseconds worker_since_{};
  bool answered_ = false;  // This worker, anything.
  int failed_starts_ = 0;  // In a row.
  std::jthread thread_;    // Last: it uses all above.
};

}  // namespace holdfast::serve
