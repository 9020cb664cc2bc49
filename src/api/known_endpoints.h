#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "api/call.h"
#include "base/clock.h"
#include "govern/endpoints.h"
#include "serve/release_gate.h"

namespace holdfast::api {

// What answered for whom at an endpoint last, so that it goes on where the database cannot be asked: as
// whoever was let in, for identity::outage_max since then. Bounded. Safe from any thread.
class KnownEndpoints {
 public:
  struct Known {
    govern::Endpoint endpoint;
    serve::ReleaseAnswer by;
  };

  explicit KnownEndpoints(const Clock& clock) : clock_(clock) {}

  // Of this endpoint, for this caller and what the request says of itself.
  static std::string key(const Call& call, std::string_view endpoint);
  // Keeps what was found; forgets what was refused; of what could not be looked up gives what is known.
  Result<Known> settle(const std::string& key, Result<Known> found);
  bool knows(const std::string& key) const;

 private:
  struct Entry {
    Known known;
    std::chrono::milliseconds at{};
  };
  static constexpr size_t entries_max = 4096;

  const Clock& clock_;
  mutable std::mutex mutex_;  // Guards the one below.
  std::map<std::string, Entry> entries_;
};

// The server could not look, which says nothing of the caller or the endpoint.
bool is_outage(const Error& error);

}  // namespace holdfast::api
