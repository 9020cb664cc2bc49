#include "observe/recent_traces.h"

#include <gtest/gtest.h>

#include "observe/request_spans.h"

namespace holdfast::observe {
namespace {

TraceRecord trace(std::string_view request, std::string_view of, std::string_view user = "ada") {
  TraceRecord out;
  out.request = request;
  out.trace = of;
  out.user = user;
  return out;
}
bool anyone(const KeptTrace&) { return true; }

TEST(RecentTraces, TheOldestGoWhenThereAreTooMany) {
  RecentTraces recent(3);
  for (const char* id : {"a", "b", "c", "d"}) recent.keep(trace(id, id));
  EXPECT_EQ(recent.size(), 3U);
  EXPECT_EQ(recent.find("a", anyone), nullptr);
  for (const char* id : {"b", "c", "d"}) {
    ASSERT_NE(recent.find(id, anyone), nullptr);
    EXPECT_EQ(recent.find(id, anyone)->request, id);
  }
}

TEST(RecentTraces, WhatIsKeptIsAllThatTheSpansAreMadeOf) {
  const std::string long_name(300, 'n');
  TraceRecord told = trace("r1", "t1");
  told.span = "s1";
  told.model = long_name;
  told.route = "/models/{ns}/{name}";
  told.reason = "queue_full";
  told.numbers.status = 503;
  told.numbers.took_ns = 90;
  told.numbers.outcome = Outcome::refused;
  told.numbers.work.inputs = 1;
  told.numbers.work.queue = std::chrono::nanoseconds(40);
  told.numbers.ids.fill(std::byte{0xab});
  RecentTraces recent(1);
  recent.keep(trace("longer than the one that takes its place", std::string(900, 'x')));
  recent.keep(told);
  const auto kept = recent.find("t1", anyone);
  const auto made = request_spans(told);
  ASSERT_EQ(kept->spans.size(), made.size());
  EXPECT_EQ(kept->status, 503);
  EXPECT_EQ(kept->model, long_name);
  for (size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(kept->spans[i].name, made[i].name);
    EXPECT_EQ(kept->spans[i].id, made[i].id);
    EXPECT_EQ(kept->spans[i].ended_ns, made[i].ended_ns);
    EXPECT_EQ(kept->spans[i].attributes, made[i].attributes);
  }
  EXPECT_EQ(made[1].ended_ns - made[1].began_ns, 40);
  EXPECT_EQ(made[1].id, "abababababababab");
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
