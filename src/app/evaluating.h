#pragma once

#include <memory>

#include "base/log.h"
#include "govern/evaluations.h"

namespace holdfast::app {

// Runs the evaluations that people start, one after the other; first those that an earlier process left. Owns
// its thread, which ends with it.
class Evaluating {
 public:
  virtual ~Evaluating() = default;
};
// Takes `askers` over.
Result<std::unique_ptr<Evaluating>> start_evaluating(govern::Evaluations& evaluations,
                                                     std::unique_ptr<govern::ReleaseAskers> askers, Log& log);

}  // namespace holdfast::app
