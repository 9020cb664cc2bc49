#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "identity/caller.h"
#include "net/message.h"
#include "repo/repository.h"

namespace holdfast::exchange {
class Mirror;
}

namespace holdfast::api {

// A request to which this hub itself has no repository or no revision.
struct UpstreamQuestion {
  const std::string& route;  // Its row's name.
  const net::Request& request;
  const Context& context;
  identity::Caller caller;
  repo::RepoType type = repo::RepoType::model;
  std::string base_url{};  // As Call's.
};

// Answers info, trees and files of what is being taken over from an upstream hub, from the first request on;
// git waits until it is here, LFS gets their addresses.
// nullopt: not of an upstream, so the hub's own refusal stands. Safe from any thread.
class UpstreamDoor {
 public:
  virtual ~UpstreamDoor() = default;
  virtual Result<std::optional<net::Response>> answer(const UpstreamQuestion& question) = 0;
};
std::unique_ptr<UpstreamDoor> make_upstream_door(exchange::Mirror& mirror);

}  // namespace holdfast::api
