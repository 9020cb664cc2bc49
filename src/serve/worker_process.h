#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "io/disk.h"
#include "serve/worker_protocol.h"

namespace holdfast::serve {

// One running worker with one model. Used, and destroyed, by the thread that started it.
class Worker {
 public:
  virtual ~Worker() = default;  // Ends it.
  virtual const WorkerFacts& facts() const = 0;
  // False when it ended, or was silent for two heartbeats. Between requests, a few times a second.
  virtual bool alive() = 0;
  // One answer an item. worker_failed when it died, went silent, hung past the deadline or answered nonsense;
  // it is of no more use then.
  virtual Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items,
                                                       std::chrono::milliseconds deadline) = 0;
  // Begins an answer whose events come from `events`; worker_failed as above.
  virtual Status generate(const GenerateAsk& ask, std::chrono::milliseconds deadline) = 0;
  virtual Status cancel(uint64_t id, std::chrono::milliseconds deadline) = 0;
  // What has come; waits for the first until `patience`, which is no failure.
  virtual Result<std::vector<GenerateEvent>> events(std::chrono::milliseconds patience,
                                                    std::chrono::milliseconds deadline) = 0;
};

// What a worker is started on.
struct WorkerFolder {
  io::Path path;
  bool takes_adapters = false;  // As of a ServedModel.
};

// Starts workers. Safe from any thread.
class WorkerStarter {
 public:
  virtual ~WorkerStarter() = default;
  // Returns once the model is loaded: its own error when it cannot be, worker_failed when the process cannot
  // run.
  virtual Result<std::unique_ptr<Worker>> start(const WorkerFolder& folder,
                                                std::chrono::milliseconds deadline) = 0;
  // Whether a worker may use what lies in a folder, where it is asked apart from a start: an adapter's files.
  virtual Status may_use(const io::Path&) { return Done{}; }
};

struct WorkerOptions {
  // This executable: it is started as `worker --channel 3 --threads N --heartbeat MS [--adapters] FOLDER`.
  std::string program;
  int threads = 2;
  std::chrono::milliseconds heartbeat{2'000};
};
std::unique_ptr<WorkerStarter> make_process_starter(WorkerOptions options, const Clock& clock);

}  // namespace holdfast::serve
