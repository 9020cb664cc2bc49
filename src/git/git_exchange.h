#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "git/hook_server.h"
#include "git/smart_http.h"
#include "process/spawn.h"

namespace holdfast::git {

// One of the requests that run at the same time; counted while it lives.
class ExchangeSlot {
 public:
  explicit ExchangeSlot(std::shared_ptr<std::atomic<int>> count)
      : count_(std::move(count)), taken_(++*count_) {}
  ExchangeSlot(ExchangeSlot&& other) noexcept = default;
  ExchangeSlot& operator=(ExchangeSlot&&) = delete;
  ~ExchangeSlot() {
    if (count_) --*count_;
  }
  int taken() const { return taken_; }  // How many there were, itself counted.

 private:
  std::shared_ptr<std::atomic<int>> count_;  // Shared by all slots of one SmartHttp.
  int taken_;
};

struct ExchangeOptions {
  process::SpawnOptions spawn;
  Service service = Service::upload_pack;
  std::chrono::milliseconds deadline;
  uint64_t request_bytes_max = 0;
  std::stop_token stop{};
};

// Starts git and speaks with it over its pipes. `push` and `slot` are kept until git has ended.
Result<std::unique_ptr<Exchange>> start_exchange(ExchangeOptions options, std::unique_ptr<RunningPush> push,
                                                 ExchangeSlot slot, const Clock& clock, Log& log);

}  // namespace holdfast::git
