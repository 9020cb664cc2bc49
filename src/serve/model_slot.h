#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/ticks.h"
#include "process/supervise.h"
#include "serve/fair_queue.h"
#include "serve/generation.h"
#include "serve/serve_probe.h"
#include "serve/serving_copy.h"
#include "serve/speed.h"
#include "serve/ticket.h"
#include "serve/worker_process.h"

namespace holdfast::serve {

struct SlotOptions {
  size_t slices_max = 256;  // Waiting; more are refused.
  size_t batch_inputs_max = 64;
  size_t generations_max = 256;  // Being written or waiting; more are refused.
  size_t writing_max = 64;       // At the worker at once; the others wait for their turn here.
  std::chrono::milliseconds load_timeout{120'000};
  std::chrono::milliseconds batch_timeout{60'000};
  std::chrono::milliseconds refusal_lasts{
      5'000};  // How long a model that cannot be loaded is not tried again.
};

// One model being served: bounded queues whose keys take turns, and a thread that owns the worker, starts it
// when something waits, batches what came meanwhile, and starts another after a crash, each time after a
// longer pause. What was waiting past its deadline, or whose caller left, is never run. Functions are safe
// from any thread; destruction ends the worker.
class ModelSlot {
 public:
  // Makes the copy that the worker maps; called on the slot's thread before every start.
  using Prepare = std::function<Result<io::Path>()>;

  // `place`: of the workers there may be at once; what it is busy with is counted under it.
  ModelSlot(ServedModel model, SlotOptions options, size_t place, Prepare prepare, WorkerStarter& starter,
            ServeProbe& probe, const Clock& clock, const Ticks& ticks, Log& log);
  ~ModelSlot();

  const ServedModel& model() const { return model_; }
  size_t place() const { return place_; }
  // How much of [begin, end] was spent loading the model.
  std::chrono::nanoseconds loading_between(std::chrono::nanoseconds begin,
                                           std::chrono::nanoseconds end) const;
  // queue_full, also where the deadline cannot be kept at the speed of late, or why the model could not be
  // loaded a moment ago. Of a refusal the asker's work says when to come again.
  Status push(std::vector<Slice> slices, const Asker& asker);
  // As push, for an answer that comes in events.
  Status push(Generation generation, const Asker& asker);
  bool idle() const;                         // Nothing waits and nothing runs.
  size_t waiting() const;                    // Slices and answers whose turn has not come.
  std::optional<WorkerFacts> facts() const;  // Once it was loaded.

 private:
  using Batch = std::vector<Slice>;

  void run(std::stop_token stop);
  std::optional<Batch> next_batch(std::stop_token stop);
  bool ensure_worker();
  void serve(Batch batch, std::stop_token stop);
  void write(std::stop_token stop);
  template <class T>
  Status check_room(const FairQueue<T>& queue, const Speed& speed, const Asker& asker, double cost,
                    std::chrono::milliseconds deadline, size_t full_beyond, size_t coming) const;
  void drop_stale();
  std::vector<Generation> next_generations(size_t most);
  void begin_generations(std::vector<Generation> all);
  void tell(const GenerateEvent& event);
  void drop_unwanted();
  void fail_generations(const Error& error);
  void worker_broke(const Error& error, std::stop_token stop);
  void fail_all(const Error& error);
  void pause(std::chrono::milliseconds length, std::stop_token stop);

  const ServedModel model_;
  const SlotOptions options_;
  const size_t place_;
  const Prepare prepare_;
  WorkerStarter& starter_;
  ServeProbe& probe_;
  const Clock& clock_;
  const Ticks& ticks_;
  Log& log_;

  mutable std::mutex mutex_;  // Guards all down to load_ended_.
  std::condition_variable_any ready_;
  FairQueue<Slice> waiting_;
  FairQueue<Generation> beginning_;
  Speed reading_, writing_speed_;
  size_t generations_ = 0;  // Beginning and being written.
  bool working_ = false;
  std::optional<WorkerFacts> facts_;
  std::optional<Error> refusal_;
  std::chrono::milliseconds refused_until_{};
  std::chrono::nanoseconds load_began_{-1}, load_ended_{-1};  // Of the newest; -1: none, or not yet.

  // The thread's own.
  std::unique_ptr<Worker> worker_;
  std::map<uint64_t, Generation> writing_;
  uint64_t last_generation_ = 0;
  std::chrono::nanoseconds written_at_{-1};  // When it last looked while it wrote; -1: it did not write.
  std::chrono::nanoseconds writing_time_{};  // Since an answer last ended.
  std::chrono::milliseconds heard_at_{};     // When the worker last said something while it wrote.
  process::Backoff backoff_;
  std::chrono::milliseconds worker_since_{};
  std::jthread thread_;  // Last: it uses all above.
};

}  // namespace holdfast::serve
