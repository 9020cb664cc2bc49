#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/disk.h"
#include "sql/database.h"

namespace holdfast::app {

// Which functions of the server do not work now, while endpoints go on answering: the hub's folders, writing
// to the database, writing to the disk. Looks every few seconds on a thread of its own, so that whoever
// asks never waits for what hangs. Safe from any thread.
class Degradation {
 public:
  virtual ~Degradation() = default;
  virtual std::vector<std::string> now() const = 0;  // "hub: …", for people; empty: all is well.
};
struct DegradationParts {
  io::Disk& disk;
  sql::Database& database;
  const Clock& clock;
  Log& log;
  Metrics& metrics;
};
std::unique_ptr<Degradation> watch_degradation(const DegradationParts& parts);

}  // namespace holdfast::app
