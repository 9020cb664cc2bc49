#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace holdfast::govern {

// The one state machine of releases; nothing else says what may follow what.
enum class ReleaseState : uint8_t {
  candidate,    // Registered; nobody may call it.
  validated,    // Its evidence passed.
  approved,     // All roles approved it.
  canary,       // Takes a small share of the traffic.
  deployed,     // The stable one: takes the rest.
  deprecated,   // Was deployed; what a rollback returns to.
  rejected,     // An approver said no.
  rolled_back,  // Was live and failed.
  retired,      // For good.
};

enum class ReleaseEvent : uint8_t {
  validate,
  approve,
  reject,
  start_canary,
  start_canary_by_exception,  // Without the gates, under a dated exception of two people.
  deploy,
  supersede,  // Another one was deployed.
  roll_back,
  reinstate,  // A rollback returns to it.
  retire,
};

std::string_view state_name(ReleaseState state);
std::optional<ReleaseState> state_of(std::string_view name);
std::string_view event_name(ReleaseEvent event);

// The state after the event, or conflict where the event does not happen in that state.
Result<ReleaseState> next_state(ReleaseState state, ReleaseEvent event);

bool is_live(ReleaseState state);  // Takes traffic by itself: canary, deployed.
bool may_serve(
    ReleaseState state);  // May be asked for by its revision, and pulled: approved, live, deprecated.

}  // namespace holdfast::govern
