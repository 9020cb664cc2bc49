// Whether an endpoint's two versions fit into memory while one takes over from the other.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/endpoint_wish.h"
#include "api/govern_call.h"
#include "govern/endpoint_keeper.h"
#include "govern/registry.h"
#include "serve/switch_memory.h"

namespace holdfast::api {
namespace {

// None where nothing of ours is loaded for it.
Result<std::optional<serve::SwitchNeed>> foresee(const GovernDoor& door, const Call& call,
                                                 const govern::EndpointChange& change) {
  std::optional<serve::SwitchNeed> none;
  if (door.memory == nullptr) return none;
  const std::string id = record_in_path(call);
  TRY(const govern::Endpoint before, door.registry.endpoints.find(call.caller, id));
  TRY(const govern::Endpoint after, door.registry.endpoints.foresee(call.caller, id, change));
  if (!before.record.empty() || !before.attachments.empty()) return none;
  const govern::Endpoint now = door.keeper == nullptr ? before : door.keeper->standing(before);
  const govern::EndpointSettings settings =
      change.settings.value_or(before.settings.value_or(govern::EndpointSettings{}));
  TRY(const serve::SwitchNeed need,
      door.memory->foresee({now.repository, now.model, now.revision},
                           {after.repository, after.model, after.revision},
                           static_cast<size_t>(std::max<int64_t>(settings.replicas_min, 1))));
  return std::optional(need);
}

}  // namespace

Result<boost::json::value> foreseen_memory(const GovernDoor& door, const Call& call,
                                           const govern::EndpointChange& change) {
  TRY(const auto need, foresee(door, call, change));
  if (!need) return boost::json::value(nullptr);
  return boost::json::value(boost::json::object{{"standing_bytes", need->standing_bytes},
                                                {"next_bytes", need->next_bytes},
                                                {"free_bytes", need->free_bytes},
                                                {"fits", need->fits()}});
}

Status check_memory(const GovernDoor& door, const Call& call, const govern::EndpointChange& change) {
  if (!change.model && !change.revision) return Done{};
  if (call.query().get("memory") == "unchecked") return Done{};
  TRY(const auto need, foresee(door, call, change));
  return need ? serve::check_fits(*need) : Status(Done{});
}

}  // namespace holdfast::api
