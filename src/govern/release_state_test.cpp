#include "govern/release_state.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast::govern {
namespace {

TEST(ReleaseStates, OnlyTheseStepsAreKnownAndAllOthersAreConflicts) {
  // Written down here independently of the table under test.
  const std::set<std::string> known = {
      "candidate validate validated",   "candidate canary under an exception canary",
      "candidate reject rejected",      "candidate retire retired",
      "validated approve approved",     "validated reject rejected",
      "validated retire retired",       "validated canary under an exception canary",
      "approved canary canary",         "approved deploy deployed",
      "approved retire retired",        "canary deploy deployed",
      "canary roll back rolled_back",   "deployed supersede deprecated",
      "deployed roll back rolled_back", "deprecated reinstate deployed",
      "deprecated retire retired",      "rejected retire retired",
      "rolled_back retire retired"};
  std::set<std::string> found;
  for (int state = 0; state <= static_cast<int>(ReleaseState::retired); ++state)
    for (int event = 0; event <= static_cast<int>(ReleaseEvent::retire); ++event) {
      const auto next = next_state(ReleaseState(state), ReleaseEvent(event));
      if (next.ok())
        found.insert(std::string(state_name(ReleaseState(state))) + " " +
                     std::string(event_name(ReleaseEvent(event))) + " " +
                     std::string(state_name(next.value())));
      else
        EXPECT_EQ(next.error().code, Code::conflict);
    }
  EXPECT_EQ(found, known);
}

TEST(ReleaseStates, WhatFailedOrWasNotApprovedNeverServes) {
  for (const ReleaseState state : {ReleaseState::candidate, ReleaseState::validated, ReleaseState::rejected,
                                   ReleaseState::rolled_back, ReleaseState::retired})
    EXPECT_FALSE(may_serve(state)) << state_name(state);
}

}  // namespace
}  // namespace holdfast::govern
