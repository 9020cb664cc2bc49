#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "govern/endpoints.h"
#include "serve/models.h"

namespace holdfast::govern {

// Makes managed endpoints what their state says: loads the models of new and resumed ones, unloads those that
// are paused or scaled to zero, and scales to zero what nobody asks. `run_round` is one thread's, about once
// a second; all else is safe from any thread.
class EndpointKeeper {
 public:
  struct Parts {
    const Endpoints& endpoints;
    serve::Models& models;
    const Clock& clock;
    Log& log;
  };
  explicit EndpointKeeper(const Parts& parts) : parts_(parts) {}

  Status run_round(const std::stop_token& stop);

  // What a door asks before it lets a request through. Wakes one that is scaled to zero; unavailable for one
  // that is paused or failed; while it loads, requests wait in the model's own queue.
  Status admit(const Endpoint& endpoint);

  // It was deleted: its model makes room, if nobody asks it.
  void forget(const Endpoint& endpoint);

 private:
  Status load(const Endpoint& endpoint, const std::stop_token& stop);
  void rest(const Endpoint& endpoint, const std::vector<Endpoint>& all);
  Status look_at(const Endpoint& endpoint, const std::vector<Endpoint>& all, const std::stop_token& stop);

  const Parts parts_;
  std::mutex mutex_;                                        // Guards all below.
  std::map<std::string, std::chrono::milliseconds> asked_;  // When each was last asked, on the clock.
  std::map<std::string, int> failures_;                     // Of loading, in a row.
  std::map<std::string, EndpointState> rested_;             // Whose model was unloaded already.
};

}  // namespace holdfast::govern
