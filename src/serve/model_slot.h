#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/ticks.h"
#include "serve/replica.h"
#include "serve/scaling.h"
#include "serve/serve_probe.h"
#include "serve/serving_copy.h"
#include "serve/slot_queue.h"
#include "serve/worker_process.h"

namespace holdfast::serve {

// One model being served: a queue whose keys take turns, and its replicas, which take from it. One replica
// there always is, whose worker is started when something waits or, where replicas are kept, at once; how
// many more, `look` says and the owner makes. What was waiting past its deadline, or whose caller left, is
// never run. Safe from any thread; destruction ends the workers.
class ModelSlot {
 public:
  using Prepare = std::function<Result<io::Path>()>;

  // `place`: the first replica's, of the workers there may be at once.
  ModelSlot(ServedModel model, const SlotOptions& options, size_t place, Prepare prepare,
            WorkerStarter& starter, ServeProbe& probe, const Clock& clock, const Ticks& ticks, Log& log);
  ~ModelSlot();

  const ServedModel& model() const { return model_; }
  std::vector<size_t> places() const;  // Of its replicas, those that are on their way out too.
  std::chrono::nanoseconds loading_between(std::chrono::nanoseconds begin,
                                           std::chrono::nanoseconds end) const {
    return queue_.loading_between(begin, end);
  }
  Status push(std::vector<Slice> slices, const Asker& asker) { return queue_.push(std::move(slices), asker); }
  Status push(Generation generation, const Asker& asker) { return queue_.push(std::move(generation), asker); }
  bool idle() const { return queue_.idle(); }  // Nothing waits and nothing runs.
  size_t waiting() const { return queue_.waiting(); }
  std::optional<WorkerFacts> facts() const { return queue_.facts(); }  // Once it was loaded.

  Replicas bounds() const;
  void set_bounds(const Replicas& bounds);
  // How many replicas there should be by the load since the last look, and what that load was. One thread's.
  struct Look {
    size_t wanted = 1;
    ReplicaLoad load{};
  };
  Look look();
  size_t ready() const { return queue_.ready(); }
  size_t wanted() const;  // Of the last look.
  void add_replica(size_t place);
  // Sends the youngest off, which ends when it is done; and takes out those that have ended, whose
  // destruction takes a moment.
  void retire_one();
  std::vector<std::unique_ptr<Replica>> take_left();
  size_t staying() const;  // Replicas that are not on their way out.

 private:
  struct Place {
    std::unique_ptr<Replica> replica;
    bool leaving = false;
  };
  void make_replica(size_t place);  // Under the mutex.
  void warm_some();                 // As make_replica.

  const ServedModel model_;
  const SlotOptions options_;
  const Prepare prepare_;
  SlotQueue queue_;
  const ReplicaParts parts_;

  mutable std::mutex mutex_;  // Guards all below.
  Scaler scaler_;
  Replicas bounds_;
  size_t wanted_ = 1;
  std::vector<Place> replicas_;
};

}  // namespace holdfast::serve
