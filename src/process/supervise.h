#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "process/spawn.h"

namespace holdfast::process {

// How long to wait before the next start: doubles from `first` to `most` while the child keeps failing soon,
// and starts over once it ran for `stable_after`. One thread.
struct BackoffOptions {
  std::chrono::milliseconds first{200}, most{30'000}, stable_after{60'000};
};
class Backoff {
 public:
  explicit Backoff(BackoffOptions options) : options_(options), next_(options.first) {}
  // After a run that lasted `ran`.
  std::chrono::milliseconds after(std::chrono::milliseconds ran);

 private:
  BackoffOptions options_;
  std::chrono::milliseconds next_;
};

// What a supervisor keeps running. Called on the supervisor's thread only.
class Supervised {
 public:
  virtual ~Supervised() = default;
  virtual Result<SpawnOptions> prepare() = 0;  // Before every start.
  virtual void started(Child& child) = 0;      // May take its pipes; the supervisor keeps the process.
  virtual void ended(const Exit& exit) = 0;
};

struct SupervisorOptions {
  std::string name;  // In the log.
  BackoffOptions backoff;
  std::chrono::milliseconds heartbeat_timeout{0};  // 0: none expected.
  std::chrono::milliseconds stop_grace{5'000};     // Between SIGTERM and SIGKILL.
};

enum class ChildState : uint8_t { waiting, running, stopped };

// Keeps one child running on a thread of its own: starts it, restarts it when it ends or misses its
// heartbeat. Borrows what it is given. Its functions are safe from any thread.
class Supervisor {
 public:
  virtual ~Supervisor() = default;  // Stops the child.
  virtual ChildState state() const = 0;
  virtual uint64_t starts() const = 0;
  virtual void beat() = 0;     // The child showed that it lives.
  virtual void restart() = 0;  // Now: ends the child if it runs, skips the wait if not.
  virtual void stop() = 0;     // Returns when the child is gone.
};
std::unique_ptr<Supervisor> supervise(SupervisorOptions options, Supervised& supervised, const Clock& clock,
                                      Log& log);

}  // namespace holdfast::process
