#include "identity/caller_cache.h"

#include <gtest/gtest.h>

#include "identity/outage.h"

namespace holdfast::identity {
namespace {

using std::chrono::milliseconds;

TEST(CallerCacheTest, WhatIsKnownHoldsWithoutTheDatabaseForAWhileAndNoLonger) {
  CallerCache cache(16, milliseconds(250), milliseconds(60'000));
  const TokenDigest digest{};
  EXPECT_FALSE(cache.holds_without(milliseconds(0))) << "nothing was ever known";
  cache.saw(1, milliseconds(1'000));
  cache.keep(digest, {}, 1);
  EXPECT_FALSE(cache.is_stale(milliseconds(1'100)));
  EXPECT_TRUE(cache.is_stale(milliseconds(1'300)));
  EXPECT_TRUE(cache.holds_without(milliseconds(1'300)));
  EXPECT_FALSE(cache.is_stale(milliseconds(1'900))) << "it was tried a moment ago";
  EXPECT_TRUE(cache.is_stale(milliseconds(2'300))) << "and is tried again";
  EXPECT_TRUE(cache.find(digest).has_value());
  EXPECT_TRUE(cache.used(TokenId{1}, {}, milliseconds(2'300)).empty()) << "nothing is written meanwhile";
  const milliseconds last = milliseconds(1'000) + outage_max;
  EXPECT_TRUE(cache.holds_without(last));
  EXPECT_TRUE(cache.is_stale(last + milliseconds(1))) << "at once, however short ago it was tried";
  EXPECT_FALSE(cache.holds_without(last + milliseconds(1)));
}

TEST(CallerCacheTest, ARevocationMeanwhileCountsAsSoonAsItIsSeen) {
  CallerCache cache(16, milliseconds(250), milliseconds(60'000));
  const TokenDigest digest{};
  cache.saw(1, milliseconds(0));
  cache.keep(digest, {}, 1);
  EXPECT_TRUE(cache.holds_without(milliseconds(500)));
  cache.saw(2, milliseconds(2'000));
  EXPECT_FALSE(cache.find(digest).has_value());
  EXPECT_TRUE(cache.is_stale(milliseconds(2'300))) << "the usual step again";
}

}  // namespace
}  // namespace holdfast::identity
