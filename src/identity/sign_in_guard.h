#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::identity {

struct SignInGuardOptions {
  size_t failures_max = 10;  // Of one name from one address within `window`.
  std::chrono::milliseconds window{15 * 60 * 1000};
  size_t at_once_max = 4;  // Each check takes 64 MiB and 0.1 s (password.h).
  size_t keys_max = 4096;  // When full it starts anew.
};

// Bounds how often passwords can be guessed, and how many are checked at once. Owned by the door that signs
// people in. Safe from any thread.
class SignInGuard {
 public:
  explicit SignInGuard(const Clock& clock, SignInGuardOptions options = {})
      : clock_(clock), options_(options) {}

  // Before a check: rate_limited after too many failures, busy when too many run. `end` follows where it is
  // ok.
  Status begin(std::string_view name, std::string_view address);
  enum class Outcome : uint8_t { matched, failed };
  void end(std::string_view name, std::string_view address, Outcome outcome);

 private:
  using Failures = std::deque<std::chrono::milliseconds>;

  const Clock& clock_;
  const SignInGuardOptions options_;
  std::mutex mutex_;  // Guards all below.
  std::unordered_map<std::string, Failures> failures_;
  size_t running_ = 0;
};

}  // namespace holdfast::identity
