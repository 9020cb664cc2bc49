#pragma once

#include "govern/endpoints.h"
#include "govern/exceptions.h"
#include "govern/gatekeeper.h"
#include "govern/live.h"
#include "govern/records.h"
#include "govern/release_parts.h"
#include "govern/releases.h"
#include "govern/requests.h"
#include "govern/review.h"
#include "govern/roles.h"
#include "govern/sealed.h"
#include "govern/watch.h"

namespace holdfast::govern {

struct RegistryParts {
  sql::Database& database;
  const identity::Permission& permission;
  identity::Accounts& accounts;
  const identity::Audit& audit;
  repo::Hub& hub;
  Checker& checker;
  const Secret& instance_key;
  std::string program_version;
  const Clock& clock;
  Random& random;
  Log& log;
};

// The services of this room, opened in the order in which they need each other. app/ owns the one Registry;
// doors borrow the services. Everything in it is safe from any thread.
struct Registry {
  explicit Registry(const RegistryParts& parts);

  Decisions decisions;
  RegistryAccess access;
  DataKeys keys;
  Records records;
  Roles roles;
  ReleaseParts release_parts;
  Releases releases;
  Exceptions exceptions;
  LiveReleases live;
  Requests requests;
  Gatekeeper gatekeeper;
  Watch watch;
  Review review;
  Endpoints endpoints;
};

}  // namespace holdfast::govern
