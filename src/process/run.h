#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "process/spawn.h"

namespace holdfast::process {

struct RunOptions {
  std::string input{};  // Its whole standard input.
  size_t output_bytes_max = 16 << 20;
  size_t errors_bytes_max = 64 << 10;  // More is read and dropped.
  std::chrono::milliseconds timeout{60'000};
  std::stop_token stop{};
};

struct Ran {
  Exit exit;
  std::string output, errors;
};

// Runs a program to its end. Its streams are pipes whatever `options` says. Killed, group and all, when it
// writes more than output_bytes_max (too_large), at the timeout (timed_out), and on stop (client_gone).
Result<Ran> run(SpawnOptions options, const RunOptions& how, const Clock& clock);

}  // namespace holdfast::process
