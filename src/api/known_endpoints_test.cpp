#include "api/known_endpoints.h"

#include <gtest/gtest.h>

#include "identity/outage.h"

namespace holdfast::api {
namespace {

TEST(KnownEndpointsTest, WhatAnsweredGoesOnInAnOutageAndEndsWithARefusal) {
  ManualClock clock;
  KnownEndpoints known(clock);
  const Error cut = fail(Reason::dependency_failed, "the database cannot be reached");
  const Error refused = fail(Reason::forbidden, "no");
  EXPECT_FALSE(known.settle("a", cut).ok()) << "nothing is known of it";
  KnownEndpoints::Known answers;
  answers.endpoint.id = "ada/stands";
  ASSERT_TRUE(known.settle("a", answers).ok());
  EXPECT_EQ(known.settle("a", cut).value().endpoint.id, "ada/stands");
  EXPECT_TRUE(known.knows("a"));
  EXPECT_FALSE(known.settle("b", cut).ok()) << "that is another caller";
  EXPECT_EQ(known.settle("a", refused).error().reason, Reason::forbidden);
  EXPECT_FALSE(known.knows("a"));
  EXPECT_FALSE(known.settle("a", cut).ok()) << "the refusal holds";
  ASSERT_TRUE(known.settle("a", answers).ok());
  clock.advance(identity::outage_max + std::chrono::milliseconds(1));
  EXPECT_FALSE(known.knows("a"));
  EXPECT_FALSE(known.settle("a", cut).ok());
}

}  // namespace
}  // namespace holdfast::api
