#pragma once

#include "api/govern_routes.h"
#include "api/job_routes.h"
#include "api/lfs_limits.h"
#include "api/route.h"
#include "base/secret.h"
#include "io/disk.h"

namespace holdfast::git {
class SmartHttp;
}
namespace holdfast::repo {
class Kinship;
class MaskingJobs;
}  // namespace holdfast::repo
namespace holdfast::serve {
class Models;
}
namespace holdfast::identity {
class Secrets;
}
namespace holdfast::exchange {
class Mirror;
class Upstreams;
class Webhooks;
}  // namespace holdfast::exchange
namespace holdfast::observe {
class Desk;
}

namespace holdfast::api {

// What single doors need besides the services.
struct DoorParts {
  git::SmartHttp& git;
  serve::Models& models;
  const Secret& instance_key;
  io::Disk& data;  // The data folder.
  GovernDoor govern;
  JobDoor job;
  LfsLimits lfs = {};
  // Null: what they do is not there, nor its routes.
  identity::Secrets* secrets = nullptr;
  exchange::Upstreams* upstreams = nullptr;
  exchange::Mirror* mirror = nullptr;
  exchange::Webhooks* webhooks = nullptr;
  repo::Kinship* kinship = nullptr;
  repo::MaskingJobs* masking = nullptr;
  observe::Desk* desk = nullptr;
};

// Every group of routes, in the order of docs: what the server mounts and what the authorisation matrix
// walks.
void add_all_routes(RouteTable& table, Services& services, const DoorParts& parts);

}  // namespace holdfast::api
