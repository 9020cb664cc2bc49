#pragma once

#include <memory>

#include "base/log.h"
#include "govern/endpoint_keeper.h"
#include "serve/models.h"

namespace holdfast::app {

// Has managed endpoints kept, twice a second, and workers added and taken away by the load, four times a
// second. Owns its two threads, which end with it.
class Keeping {
 public:
  virtual ~Keeping() = default;
};
std::unique_ptr<Keeping> start_keeping(govern::EndpointKeeper& keeper, serve::Models& models, Log& log);

}  // namespace holdfast::app
