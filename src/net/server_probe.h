#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/metrics.h"
#include "net/router.h"

namespace holdfast::net {

// All measurements of the server, by name. Safe from any thread.
class ServerProbe {
 public:
  ServerProbe(Metrics& metrics, const Router& router);

  struct Finished {
    const Route* route = nullptr;  // Null: nothing matched, or the head was not readable.
    std::string_view method;
    int status = 0;
    uint64_t bytes_in = 0, bytes_out = 0;
    std::chrono::milliseconds duration{};
  };
  void request_finished(const Finished& finished);
  void connection_opened() { open_.add(1); }
  void connection_closed() { open_.add(-1); }
  // why: "connections_max", "queue_full".
  void refused(std::string_view why);

 private:
  // Metrics of one route; its counters are asked for when the first such answer is given.
  struct Row {
    std::string name;
    std::array<std::array<std::atomic<Counter*>, 5>, 3> requests{};  // [method, HEAD, other][status class]
    std::string method;
    std::atomic<Histogram*> seconds{nullptr};
  };
  Row& row(const Route* route);

  Metrics& metrics_;
  std::unordered_map<const Route*, std::unique_ptr<Row>> rows_;  // Filled at the start, then only read.
  Counter &received_, &sent_;
  Gauge& open_;
};

}  // namespace holdfast::net
