#pragma once

#include <memory>

#include "base/log.h"
#include "observe/rounds.h"

namespace holdfast::app {

// Makes observe's rounds once a second, of real time whatever the clock says. Owns its thread, which ends
// with it.
class Observing {
 public:
  virtual ~Observing() = default;
};
std::unique_ptr<Observing> start_observing(observe::Rounds& rounds, Log& log);

}  // namespace holdfast::app
