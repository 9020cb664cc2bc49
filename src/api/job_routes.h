#pragma once

#include <memory>

#include "api/route.h"

namespace holdfast::job {
class Files;
class Batches;
class RequestAsker;
}  // namespace holdfast::job

namespace holdfast::api {

// What the doors of long work need beside the services; borrowed.
struct JobDoor {
  job::Files& files;
  job::Batches& batches;
};

// /v1/files and /v1/batches as the openai clients speak them. Batches may ask what `table` answers, which
// therefore outlives the server.
void add_file_routes(RouteTable& table, Services& services, const JobDoor& door);
void add_batch_routes(RouteTable& table, Services& services, const JobDoor& door);

// Asks by the rows of `table`, as if the caller had sent the request. Borrows all it is given.
std::unique_ptr<job::RequestAsker> make_request_asker(const RouteTable& table, Services& services);

}  // namespace holdfast::api
