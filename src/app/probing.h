#pragma once

#include <chrono>
#include <memory>

#include "base/log.h"
#include "govern/release_asker.h"
#include "observe/prober.h"

namespace holdfast::app {

// Goes around with golden examples every so often. Owns its thread, which ends with it within an example.
class Probing {
 public:
  virtual ~Probing() = default;
};
// Takes `askers` over.
std::unique_ptr<Probing> start_probing(govern::Registry& registry,
                                       std::unique_ptr<govern::ReleaseAskers> askers,
                                       observe::SeriesNames& names, std::chrono::milliseconds every, Log& log,
                                       Metrics& metrics);

}  // namespace holdfast::app
