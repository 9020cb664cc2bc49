#pragma once

#include <memory>

#include "base/log.h"
#include "govern/endpoint_keeper.h"

namespace holdfast::app {

// Has managed endpoints kept, about once a second. Owns its thread, which ends with it.
class Keeping {
 public:
  virtual ~Keeping() = default;
};
std::unique_ptr<Keeping> start_keeping(govern::EndpointKeeper& keeper, Log& log);

}  // namespace holdfast::app
