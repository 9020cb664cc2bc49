#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <unordered_set>

#include "net/pool.h"
#include "net/server.h"
#include "net/server_probe.h"

namespace holdfast::net {

class Connection;

// What all connections of one server share. Owned by the server, outlives them.
struct ServerCore {
  ServerOptions options;
  const Router& router;
  ErrorWriter errors;
  const Clock& clock;
  Random& random;
  Log& log;
  ServerProbe probe;
  Pool pool;
  std::atomic<bool> stopping{false};
  std::atomic<size_t> connections{0};

  ServerCore(ServerOptions wish, const Router& routes, ErrorWriter error_writer, const Clock& time,
             Random& randomness, Log& events, Metrics& metrics)
      : options(std::move(wish)),
        router(routes),
        errors(std::move(error_writer)),
        clock(time),
        random(randomness),
        log(events),
        probe(metrics, routes),
        pool(options.disk_threads, options.limits.jobs_waiting_max) {}
};

// One net thread with the connections that live on it; all but the thread itself is its own business.
struct Loop {
  asio::io_context context{1};
  std::unordered_set<Connection*> connections;
  std::string date;  // The Date field of this second.
  std::chrono::seconds date_at{-1};
  std::thread thread;
};

}  // namespace holdfast::net
