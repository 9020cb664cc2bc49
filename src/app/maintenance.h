#pragma once

#include <chrono>
#include <memory>

#include "api/lfs_parts.h"
#include "app/process_probe.h"
#include "base/clock.h"
#include "base/log.h"
#include "content/store.h"
#include "repo/hub.h"
#include "repo/kinship.h"
#include "serve/models.h"

namespace holdfast::serve {
class Callers;
}

namespace holdfast::app {

struct MaintenanceParts {
  content::Store& content;
  repo::Hub& hub;
  api::LfsParts& lfs_parts;
  ProcessProbe& probe;
  serve::Models& models;
  serve::Callers& callers;
  sql::Database& database;
  const identity::Audit& audit;
  repo::Kinship& kinship;
  const Clock& clock;
  Log& log;
};

inline constexpr std::chrono::hours collection_grace{
    25};  // Above the 24 h for which uploads and dedup answers hold.

// The work nobody asks for: figures, free memory and the index of new weights every 15 seconds, heads
// that older rules judged and tokens that grow old, forgotten uploads every hour, garbage collection once a
// day. Owns its thread, which ends with it, at the latest after the step it is in.
class Maintenance {
 public:
  virtual ~Maintenance() = default;
};
std::unique_ptr<Maintenance> start_maintenance(const MaintenanceParts& parts);

}  // namespace holdfast::app
