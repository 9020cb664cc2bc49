#pragma once

#include <memory>

#include "api/clock_control.h"
#include "api/route.h"

namespace holdfast::govern {
struct Registry;
class Evaluations;
class EndpointKeeper;
class ReleaseAskers;
}  // namespace holdfast::govern
namespace holdfast::observe {
class EndpointAsker;
}
namespace holdfast::net {
class Client;
}
namespace holdfast::serve {
class Models;
class SwitchMemory;
}  // namespace holdfast::serve

namespace holdfast::identity {
class Secrets;
}

namespace holdfast::api {

class EngineStreams;
class GuardedStreams;

// What the registry's doors need beside the services; borrowed.
struct GovernDoor {
  govern::Registry& registry;
  govern::Evaluations& evaluations;
  net::Client& public_engines;               // To engines that were attached, on public addresses only;
  net::Client& any_engines;                  // and on any, where an instance administrator attached them.
  ClockControl* clock = nullptr;             // Null: the clock is the machine's.
  EngineStreams* streams = nullptr;          // Null: answers of engines come whole.
  GuardedStreams* guarded = nullptr;         // Null: what is looked at when it is answered comes whole.
  identity::Secrets* secrets = nullptr;      // Null: engines have tokens of their own only.
  govern::EndpointKeeper* keeper = nullptr;  // Null: nobody keeps endpoints; all run.
  serve::SwitchMemory* memory = nullptr;     // Null: nobody looks whether two versions fit.
};

// /api/registry/** and /api/endpoints, as docs/registry-api.md says, and /endpoints/{ns}/{name}/**.
void add_govern_routes(RouteTable& table, Services& services, const GovernDoor& door);

void add_govern_record_routes(RouteTable& table, const GovernDoor& door);
// Steps run golden examples, by routes of `table`, which therefore outlives the server.
void add_govern_release_routes(RouteTable& table, Services& services, const GovernDoor& door);
void add_govern_evaluation_routes(RouteTable& table, const GovernDoor& door);
void add_govern_feedback_routes(RouteTable& table, const GovernDoor& door);
void add_govern_incident_routes(RouteTable& table, Services& services, const GovernDoor& door);
// Also replay: it asks routes of `table` again, which therefore outlives the server.
void add_govern_endpoint_routes(RouteTable& table, Services& services, const GovernDoor& door);
// /api/inference-endpoints/v2/**: what huggingface_hub manages Inference Endpoints by, over the same
// endpoints.
void add_endpoint_management_routes(RouteTable& table, Services& services, const GovernDoor& door);
void add_govern_replay_routes(RouteTable& table, Services& services, const GovernDoor& door);

// Asks endpoints for the prober. Borrows all three.
std::unique_ptr<observe::EndpointAsker> make_endpoint_asker(const RouteTable& table, Services& services,
                                                            const GovernDoor& door);

// Asks our own workers, or engines that are attached. Borrows all it is given.
std::unique_ptr<govern::ReleaseAskers> make_release_askers(Services& services, serve::Models& models,
                                                           const GovernDoor& door);

}  // namespace holdfast::api
