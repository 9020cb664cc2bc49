#include "observe/trace_context.h"

#include <gtest/gtest.h>

namespace holdfast::observe {
namespace {

const std::string trace(32, 'a'), span(16, 'b');

TEST(TraceContext, WhatTheSpecificationAllowsIsReadAndTheRestIsAsIfItHadNotCome) {
  struct Case {
    std::string name, header;
    bool good, sampled;
  };
  const Case cases[] = {
      {"sampled", "00-" + trace + "-" + span + "-01", true, true},
      {"not sampled", "00-" + trace + "-" + span + "-00", true, false},
      {"unknown flags beside it", "00-" + trace + "-" + span + "-ff", true, true},
      {"a newer version with more", "cc-" + trace + "-" + span + "-01-what-comes", true, true},
      {"a newer version without a separator", "cc-" + trace + "-" + span + "-01x", false, false},
      {"version 00 with more", "00-" + trace + "-" + span + "-01-x", false, false},
      {"version ff", "ff-" + trace + "-" + span + "-01", false, false},
      {"upper case", "00-" + std::string(32, 'A') + "-" + span + "-01", false, false},
      {"a trace of zeros", "00-" + std::string(32, '0') + "-" + span + "-01", false, false},
      {"a span of zeros", "00-" + trace + "-" + std::string(16, '0') + "-01", false, false},
      {"cut", "00-" + trace + "-" + span + "-0", false, false},
      {"empty", "", false, false},
  };
  for (const auto& [name, header, good, sampled] : cases) {
    const auto read = parse_traceparent(header);
    EXPECT_EQ(read.has_value(), good) << name;
    if (!read || !good) continue;
    EXPECT_EQ(read->trace, trace) << name;
    EXPECT_EQ(read->span, span) << name;
    EXPECT_EQ(read->sampled, sampled) << name;
  }
}

TEST(TraceContext, ACallersTraceGoesOnAndElseTheRequestBeginsOne) {
  SeededRandom random{1};
  const auto gone_on = continue_trace("00-" + trace + "-" + span + "-00", std::string(32, '9'), random);
  EXPECT_EQ(gone_on.trace, trace);
  EXPECT_EQ(gone_on.parent, span);
  EXPECT_NE(gone_on.span, span);
  EXPECT_FALSE(gone_on.sampled);
  const auto begun = continue_trace("", std::string(32, '9'), random);
  EXPECT_EQ(begun.trace, std::string(32, '9'));
  EXPECT_TRUE(begun.parent.empty());
  const auto named = continue_trace("nonsense", "given-by-me.1", random);
  EXPECT_EQ(named.trace.size(), 32U);
  EXPECT_EQ(parse_traceparent(traceparent(named))->span, named.span);
}

}  // namespace
}  // namespace holdfast::observe
