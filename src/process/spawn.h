#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "process/descriptor.h"

namespace holdfast::process {

// What one end of a child's standard stream is connected to.
enum class Stream : uint8_t {
  none,  // /dev/null.
  pipe,  // A pipe whose other end is in Child.
  ours,  // The parent's own.
};

struct Limits {
  std::optional<uint64_t> cpu_seconds{};
  std::optional<uint64_t> memory_bytes{};  // Address space.
  std::optional<uint64_t> open_files{};
  std::optional<uint64_t> file_bytes{};  // Of any file it writes.
};

struct SpawnOptions {
  std::string program;                   // Absolute path; never looked up, no shell.
  std::vector<std::string> arguments{};  // Without argv[0].
  std::vector<std::pair<std::string, std::string>> environment{};  // The whole of it.
  std::string folder = "/";
  Stream input = Stream::none, output = Stream::none, errors = Stream::none;
  std::vector<std::pair<int, int>> passed{};  // Descriptors handed on: ours, and its number there (3 to 63).
  Limits limits{};
};

// How a child ended.
struct Exit {
  int code = 0;    // 0 to 255; 128 + the signal when one ended it.
  int signal = 0;  // 0: it ended by itself.

  bool clean() const { return code == 0 && signal == 0; }
};

// A child process with a process group of its own, killed by the kernel when the thread that spawned it ends
// without having waited (PR_SET_PDEATHSIG: so spawn from threads that outlive the child). Inherits no
// descriptor but those asked for. Owned by one thread; destroyed while running, its group is killed and it is
// reaped.
class Child {
 public:
  static Result<Child> spawn(const SpawnOptions& options);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  pid_t pid() const { return pid_; }
  Descriptor input;   // Write here what it reads. Not blocking, like the others.
  Descriptor output;  // Read here what it writes.
  Descriptor errors;

  // nullopt while it runs.
  Result<std::optional<Exit>> poll();
  // Until it ends or `deadline` on `clock` passes (nullopt).
  Result<std::optional<Exit>> wait(const Clock& clock, std::chrono::milliseconds deadline);
  // To the whole group; no effect once it was reaped.
  void signal_group(int signal) const;
  // SIGTERM, up to `grace`, then SIGKILL; reaps it.
  Exit stop(const Clock& clock, std::chrono::milliseconds grace);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  Exit reap_killed();

  pid_t pid_ = -1;
  std::optional<Exit> exit_;
};

}  // namespace holdfast::process
