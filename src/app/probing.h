#pragma once

#include <chrono>
#include <memory>

#include "base/log.h"
#include "govern/release_asker.h"
#include "observe/endpoint_prober.h"
#include "observe/prober.h"

namespace holdfast::app {

// Goes around with golden examples every so often. Owns its thread, which ends with it within an example.
class Probing {
 public:
  virtual ~Probing() = default;
};
// Whom it asks; taken over.
struct ProbeAskers {
  std::unique_ptr<govern::ReleaseAskers> releases;
  std::unique_ptr<observe::EndpointAsker> endpoints;
};
struct ProbingParts {
  govern::Registry& registry;
  sql::Database& database;
  observe::SeriesNames& names;
  const Ticks& ticks;
  Log& log;
  Metrics& metrics;
};
std::unique_ptr<Probing> start_probing(const ProbingParts& parts, ProbeAskers askers,
                                       std::chrono::milliseconds every);

}  // namespace holdfast::app
