#include "serve/kept_replicas.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

TEST(KeptReplicas, AHostHasTheMostThatAnyOfItsAdaptersWants) {
  const ServedModel host{1, "ada/base", "b"}, one{2, "ada/one", "a"}, other{3, "ada/other", "a"};
  KeptReplicas kept;
  EXPECT_FALSE(kept.of(host));
  EXPECT_EQ(kept.set(host, one, {1, 2}), (Replicas{1, 2}));
  EXPECT_EQ(kept.set(host, other, {0, 4}), (Replicas{1, 4}));
  EXPECT_EQ(kept.set(host, one, {}), (Replicas{0, 4})) << "one's end is not the other's";
  EXPECT_EQ(*kept.of(host), (Replicas{0, 4}));
  EXPECT_EQ(kept.set(host, other, {}), Replicas{});
  EXPECT_FALSE(kept.of(host));
}

}  // namespace
}  // namespace holdfast::serve
