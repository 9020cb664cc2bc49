#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "net/router.h"

namespace holdfast::net {

struct ServerLimits {
  std::chrono::milliseconds head_timeout{15'000};  // First byte to the end of the head: against slow loris.
  std::chrono::milliseconds idle_timeout{75'000};  // Between requests, and between pieces of a body.
  std::chrono::milliseconds stop_timeout{20'000};  // For running answers after stop().
  size_t head_bytes_max = 64 << 10;
  size_t header_fields_max = 128;
  size_t connections_max = 4096;
  size_t jobs_waiting_max = 1024;  // For a disk thread; beyond, requests are answered queue_full at once.
  size_t piece_bytes = 512 << 10;  // Of a body, read or written at a time; two are in flight a connection.
  // While we wait for a client inside a body: at least so much in each such time, or the connection is cut.
  std::chrono::milliseconds progress_window{30'000};
  uint64_t progress_bytes_min = 4 << 10;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 8080;                              // 0: any free one.
  bool next_free_port = false;                       // When taken, try the following 50.
  std::string certificate_file = {}, key_file = {};  // PEM; both empty: plain HTTP.
  std::vector<std::string> trusted_proxies = {};     // Whose X-Forwarded-For and -Proto are believed.
  int net_threads = 2, disk_threads = 16;
  ServerLimits limits = {};
};

// What every answer goes through besides the handler: app/ gives the writer of error bodies, so that net/
// needs no JSON shape of any protocol. Called on pool and net threads: it may not block. The request is empty
// when the head could not be read.
using ErrorWriter = std::function<Response(const Request&, const Error&, const Context&)>;

// Accepts connections on its own net threads and runs handlers on its own disk pool. Borrows router, clock,
// log, metrics. Every answer carries X-Request-Id (the caller's X-Request-Id or X-Amzn-Trace-Id when it is 1
// to 128 characters of [A-Za-z0-9._=;:-], else a new one) and Server: holdfast.
class Server {
 public:
  virtual ~Server() = default;  // Stops at once if `stop` was not called.
  virtual uint16_t port() const = 0;
  // Graceful: no new connections, running answers are finished or cut after stop_timeout. Returns when all is
  // quiet.
  virtual void stop() = 0;
};
Result<std::unique_ptr<Server>> start_server(ServerOptions options, const Router& router, ErrorWriter errors,
                                             const Clock& clock, Random& random, Log& log, Metrics& metrics);

}  // namespace holdfast::net
