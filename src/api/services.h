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
}

namespace holdfast::api {

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
  identity::Permission& permission;
  identity::Audit& audit;
  content::Store& content;
  repo::Hub& hub;
  const net::Router& router;  // For its reserved names.
  std::string public_url;     // Empty: answers use the request's Host.
  bool xet_offered = true;    // The CAS doors are mounted: answers may name Xet hashes.
};

}  // namespace holdfast::api
