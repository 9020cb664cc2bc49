#pragma once

#include <memory>

#include "base/log.h"
#include "job/batches.h"

namespace holdfast::app {

// Runs the batches that people hand in, what an earlier process left among them. Owns its thread, which ends
// with it.
class Batching {
 public:
  virtual ~Batching() = default;
};
// Takes `asker` over.
std::unique_ptr<Batching> start_batching(job::Batches& batches, std::unique_ptr<job::RequestAsker> asker,
                                         Log& log);

}  // namespace holdfast::app
