#pragma once

#include <string>

namespace holdfast {
class Clock;
class Random;
class Log;
class Metrics;
}  // namespace holdfast
namespace holdfast::sql {
class Database;
}
namespace holdfast::identity {
class Accounts;
class Tokens;
class Sessions;
class Permission;
class Audit;
}  // namespace holdfast::identity
namespace holdfast::content {
class Store;
}
namespace holdfast::net {
class Router;
}
namespace holdfast::repo {
struct Hub;
class PullGate;
}  // namespace holdfast::repo
namespace holdfast::serve {
class ReleaseGate;
struct Guards;
}  // namespace holdfast::serve

namespace holdfast::api {

class KnownEndpoints;

// Everything the doors call; app/ owns it all, and it outlives the server. Doors include the headers of what
// they use.
struct Services {
  const Clock& clock;
  Random& random;
  Log& log;
  Metrics& metrics;
  sql::Database& database;
  identity::Accounts& accounts;
  identity::Tokens& tokens;
  identity::Sessions& sessions;
  identity::Permission& permission;
  identity::Audit& audit;
  content::Store& content;
  repo::Hub& hub;
  const net::Router& router;  // For its reserved names.
  std::string public_url;     // Empty: answers use the request's Host.
  // The gates of design decision 9. Null in tests of doors alone: nothing is governed, and a token bound to
  // an environment reaches nothing.
  serve::ReleaseGate* release_gate = nullptr;
  repo::PullGate* pull_gate = nullptr;
  serve::Guards* guards = nullptr;  // Null in tests of doors alone: nothing is limited, kept or signed.
  KnownEndpoints* known_models = nullptr;  // By their names. Null: none outlives an outage.
  bool xet_offered = true;                 // The CAS doors are mounted: answers may name Xet hashes.
};

}  // namespace holdfast::api
