#include "api/release_memory.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/endpoint_call.h"
#include "api/govern_call.h"
#include "govern/registry.h"
#include "serve/switch_memory.h"

namespace holdfast::api {
namespace {

struct ReleaseNeed {
  int64_t standing = 0;
  serve::SwitchNeed memory;
};

Result<bool> is_ours(const GovernDoor& door, const Call& call, const govern::Release& release) {
  TRY(const AttachedEngine engine, engine_of(door, call.caller, release));
  return engine.attachment == nullptr;
}

Result<std::optional<ReleaseNeed>> foresee(const GovernDoor& door, const Call& call, int64_t number) {
  std::optional<ReleaseNeed> none;
  if (door.memory == nullptr) return none;
  TRY(const auto releases, door.registry.releases.list(call.caller, record_in_path(call)));
  const auto next = std::find_if(releases.begin(), releases.end(),
                                 [&](const govern::Release& one) { return one.number == number; });
  if (next == releases.end()) return fail(Code::not_found, "there is no such release");
  const auto standing = std::find_if(releases.begin(), releases.end(), [&](const govern::Release& one) {
    return one.number != number && one.state == govern::ReleaseState::deployed;
  });
  if (standing == releases.end()) return none;
  TRY(const bool next_is_ours, is_ours(door, call, *next));
  TRY(const bool standing_is_ours, is_ours(door, call, *standing));
  if (!next_is_ours || !standing_is_ours) return none;
  TRY(const serve::SwitchNeed memory,
      door.memory->foresee({standing->repository, standing->model, standing->revision},
                           {next->repository, next->model, next->revision}, 1,
                           serve::SwitchMemory::Standing::will_be_loaded));
  return std::optional(ReleaseNeed{standing->number, memory});
}

}  // namespace

Result<boost::json::value> foreseen_release_memory(const GovernDoor& door, const Call& call, int64_t number) {
  TRY(const auto need, foresee(door, call, number));
  if (!need) return boost::json::value(nullptr);
  return boost::json::value(boost::json::object{{"standing", need->standing},
                                                {"standing_bytes", need->memory.standing_bytes},
                                                {"next_bytes", need->memory.next_bytes},
                                                {"free_bytes", need->memory.free_bytes},
                                                {"fits", need->memory.fits()}});
}

Status check_release_memory(const GovernDoor& door, const Call& call, int64_t number) {
  if (call.query().get("memory") == "unchecked") return Done{};
  TRY(const auto need, foresee(door, call, number));
  return need ? serve::check_fits(need->memory) : Status(Done{});
}

}  // namespace holdfast::api
