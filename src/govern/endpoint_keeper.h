#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "govern/endpoints.h"
#include "serve/models.h"
#include "serve/warm_hours.h"

namespace holdfast::govern {

// Makes managed endpoints what their state says: loads the models of new and resumed ones with as many
// workers as their settings allow, unloads those that are paused or scaled to zero, and scales to zero what
// nobody asks. `run_round` is one thread's, about once a second; all else is safe from any thread.
class EndpointKeeper {
 public:
  struct Parts {
    const Endpoints& endpoints;
    serve::Models& models;
    const Clock& clock;
    Log& log;
    const serve::WarmSchedules* schedules = nullptr;  // Null: nobody has one.
  };
  explicit EndpointKeeper(const Parts& parts) : parts_(parts) {}

  Status run_round(const std::stop_token& stop);

  // What a door asks before it lets a request through. Wakes one that is scaled to zero; unavailable for one
  // that is paused or failed; while it loads, requests wait in the model's own queue.
  Status admit(const Endpoint& endpoint);

  // The endpoint as it answers now: while another model or revision is loaded, or could not be, with the one
  // from before. The switch is the moment at which its state says running.
  Endpoint standing(const Endpoint& endpoint);
  bool answers_as_before(const Endpoint& endpoint);  // With another revision than its own.

  // It was deleted: its model makes room, if nobody asks it.
  void forget(const Endpoint& endpoint);

  // Of its model; none of an endpoint that is not ours to load.
  serve::Models::ReplicaCount replicas(const Endpoint& endpoint) const;

 private:
  struct Kept {
    serve::ServedModel model;
    serve::Replicas replicas;
  };
  struct Replaced {
    serve::ServedModel model;
    std::chrono::milliseconds since{};  // On the clock.
  };
  int64_t by_schedule(const Endpoint& endpoint) const;  // Workers that its schedule wants now.
  int64_t least_of(const Endpoint& endpoint) const;     // By that and its settings.
  Status wake_in_time(const Endpoint& endpoint);
  void keep_replicas(const std::vector<Endpoint>& all);
  void stands(const Endpoint& endpoint);
  void unload_unused(const std::vector<Endpoint>& all);
  Status load(const Endpoint& endpoint, const std::stop_token& stop);
  void rest(const Endpoint& endpoint, const std::vector<Endpoint>& all);
  Status look_at(const Endpoint& endpoint, const std::vector<Endpoint>& all, const std::stop_token& stop);

  const Parts parts_;
  std::mutex mutex_;                                        // Guards all below.
  std::map<std::string, std::chrono::milliseconds> asked_;  // When each was last asked, on the clock.
  std::map<std::string, int> failures_;                     // Of loading, in a row.
  std::map<std::string, EndpointState> rested_;             // Whose model was unloaded already.
  std::map<std::string, serve::ServedModel> standing_;      // What each last ran with, by its id.
  // The round's own.
  std::map<std::string, Kept> kept_;  // By the model's key.
  std::vector<Replaced> replaced_;    // To be unloaded when nobody asks them.
};

}  // namespace holdfast::govern
