#pragma once

#include <memory>

#include "app/checkpoints.h"
#include "base/log.h"
#include "govern/registry.h"

namespace holdfast::app {

// Lets the registry's watch look once a second: canaries are compared, exceptions expire, answers are written
// down, checkpoints of the audit log are handed outside. Owns its thread, which ends with it.
class Watching {
 public:
  virtual ~Watching() = default;
};
// `checkpoints` may be null.
std::unique_ptr<Watching> start_watching(govern::Registry& registry, CheckpointWriter* checkpoints, Log& log);

}  // namespace holdfast::app
