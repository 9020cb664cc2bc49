#include "govern/release_state.h"

#include <fmt/format.h>

#include <array>

namespace holdfast::govern {
namespace {

using enum ReleaseState;
using Event = ReleaseEvent;

constexpr std::array<std::string_view, 9> states = {"candidate", "validated",   "approved",
                                                    "canary",    "deployed",    "deprecated",
                                                    "rejected",  "rolled_back", "retired"};
constexpr std::array<std::string_view, 10> events = {
    "validate", "approve",   "reject",    "canary",    "canary under an exception",
    "deploy",   "supersede", "roll back", "reinstate", "retire"};

struct Step {
  ReleaseState from;
  Event event;
  ReleaseState to;
};
constexpr Step steps[] = {
    {candidate, Event::validate, validated},
    {candidate, Event::start_canary_by_exception, canary},
    {candidate, Event::reject, rejected},
    {candidate, Event::retire, retired},
    {validated, Event::approve, approved},
    {validated, Event::reject, rejected},
    {validated, Event::start_canary_by_exception, canary},
    {validated, Event::retire, retired},
    {approved, Event::start_canary, canary},
    {approved, Event::deploy, deployed},
    {approved, Event::retire, retired},
    {canary, Event::deploy, deployed},
    {canary, Event::roll_back, rolled_back},
    {deployed, Event::supersede, deprecated},
    {deployed, Event::roll_back, rolled_back},
    {deprecated, Event::reinstate, deployed},
    {deprecated, Event::retire, retired},
    {rejected, Event::retire, retired},
    {rolled_back, Event::retire, retired},
};

}  // namespace

std::string_view state_name(ReleaseState state) { return states[static_cast<size_t>(state)]; }
std::optional<ReleaseState> state_of(std::string_view name) {
  for (size_t i = 0; i < states.size(); ++i)
    if (states[i] == name) return static_cast<ReleaseState>(i);
  return std::nullopt;
}
std::string_view event_name(ReleaseEvent event) { return events[static_cast<size_t>(event)]; }

Result<ReleaseState> next_state(ReleaseState state, ReleaseEvent event) {
  for (const Step& step : steps)
    if (step.from == state && step.event == event) return step.to;
  return fail(Code::conflict,
              fmt::format("a release that is {} cannot {}", state_name(state), event_name(event)));
}

bool is_live(ReleaseState state) { return state == canary || state == deployed; }
bool may_serve(ReleaseState state) {
  return state == approved || state == canary || state == deployed || state == deprecated;
}

}  // namespace holdfast::govern
