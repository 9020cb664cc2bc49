#pragma once

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/ticks.h"
#include "io/disk.h"
#include "serve/asker.h"
#include "serve/generation.h"
#include "serve/pending_answer.h"
#include "serve/scaling.h"
#include "serve/serving_copy.h"
#include "serve/slot_options.h"
#include "serve/work.h"
#include "serve/worker_process.h"

namespace holdfast::serve {

struct ModelsOptions {
  io::Path folder = "serving";  // On the disk; emptied at start.
  size_t workers_max = 4;       // Of all models together, replicas counted each.
  // Requests that wait at once, each with a thread of the caller's pool, and of them those of one key.
  size_t waiting_max = 12, waiting_of_key_max = 12;
  size_t inputs_max = 2048;
  size_t input_bytes_max = 8 << 20;  // Of one request, all inputs together.
  std::chrono::milliseconds request_timeout{60'000};
  SlotOptions slot{};
};

// Models on demand: the first request for one makes its copy and starts its worker, the least recently used
// idle one gives way when there are too many. Who may ask is checked before, at the door. Safe from any
// thread.
class Models {
 public:
  virtual ~Models() = default;  // Ends all workers.
  // Waits for the answer, until the context's deadline at most. queue_full when as many wait as are taken or
  // the deadline cannot be kept, model_loading when it would take too long, input_too_long or bad_request for
  // inputs over the bounds, worker_failed after a crash, the model's own error when it cannot be served.
  virtual Result<EmbedAnswer> embed(const Context& context, const ServedModel& model, EmbedItem request,
                                    const Asker& asker) = 0;
  // The same for a caller that does not wait: who begins gets the answer, or the refusal at once. The context
  // and what the asker's work points to outlive what is pending.
  virtual Result<std::shared_ptr<PendingAnswer>> begin(const Context& context, const ServedModel& model,
                                                       EmbedItem request, const Asker& asker) {
    return std::shared_ptr<PendingAnswer>(
        std::make_shared<ReadyAnswer>(embed(context, model, std::move(request), asker)));
  }
  // Asks for an answer that comes in events, on the model's own thread; returns when it waits or is written.
  virtual Status generate(const Context& context, const ServedModel& model, Generation generation,
                          const Asker& asker) = 0;
  // As embed, for what is known of a model; loads it.
  virtual Result<WorkerFacts> facts(const Context& context, const ServedModel& model, const Asker& asker) = 0;
  // A place among those that wait, left when it is destroyed: for a caller that waits for events with a
  // thread of the pool; the other functions take one themselves. queue_full.
  using Place = std::shared_ptr<const void>;
  virtual Result<Place> enter(const Asker& asker) = 0;
  virtual std::vector<ServedModel> loaded() const = 0;
  // Ends the model's workers; a request that comes for it later starts another. False while it is busy.
  virtual bool unload(const ServedModel&) { return true; }
  // How many workers a model has, from now on; the default ends that, and leaves one on demand. queue_full
  // where none can be started for it now.
  virtual Status keep(const ServedModel&, const Replicas&) { return Done{}; }
  struct ReplicaCount {
    size_t ready = 0, wanted = 0;
  };
  virtual ReplicaCount replicas(const ServedModel&) const { return {}; }
  // Adds and takes away workers by the load; a few times a second, by one thread.
  virtual void tend() {}
  // How busy workers were since the last call; every few seconds, by the thread that keeps figures.
  virtual void refresh_figures() = 0;
};

struct ModelsParts {
  FileSource& files;
  WorkerStarter& starter;
  io::Disk& disk;
  const Clock& clock;
  const Ticks& ticks;
  Random& random;
  Log& log;
  Metrics& metrics;
};
Result<std::unique_ptr<Models>> open_models(ModelsOptions options, const ModelsParts& parts);

}  // namespace holdfast::serve
