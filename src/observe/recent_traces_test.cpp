#include "observe/recent_traces.h"

#include <gtest/gtest.h>

namespace holdfast::observe {
namespace {

KeptTrace trace(std::string request, std::string of, std::string user = "ada") {
  return {.request = std::move(request),
          .trace = std::move(of),
          .user = std::move(user),
          .model = {},
          .deployment = {},
          .record = {}};
}
bool anyone(const KeptTrace&) { return true; }

TEST(RecentTraces, TheOldestGoWhenThereAreTooMany) {
  RecentTraces recent(3);
  for (const char* id : {"a", "b", "c", "d"}) recent.keep(trace(id, id));
  EXPECT_EQ(recent.size(), 3U);
  EXPECT_EQ(recent.find("a", anyone), nullptr);
  ASSERT_NE(recent.find("d", anyone), nullptr);
}

TEST(RecentTraces, OneIsFoundByItsRequestAndByItsTrace) {
  RecentTraces recent;
  recent.keep(trace("r1", "t1"));
  EXPECT_EQ(recent.find("t1", anyone)->request, "r1");
  EXPECT_EQ(recent.find("r1", anyone)->trace, "t1");
  EXPECT_EQ(recent.find("t2", anyone), nullptr);
}

TEST(RecentTraces, AStrangersIdHidesNobodysTrace) {
  RecentTraces recent;
  recent.keep(trace("r1", "t1", "ada"));
  recent.keep(trace("r2", "t1", "bob"));  // Who brought ada's id.
  const auto mine = [](const KeptTrace& one) { return one.user == "ada"; };
  ASSERT_NE(recent.find("t1", mine), nullptr);
  EXPECT_EQ(recent.find("t1", mine)->request, "r1");
  EXPECT_EQ(recent.find("r2", mine), nullptr);
}

}  // namespace
}  // namespace holdfast::observe
