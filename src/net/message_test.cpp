#include "net/message.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

TEST(Headers, CompareNamesWithoutCaseAndSetReplacesAll) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("ACCEPT", "b");
  EXPECT_EQ(headers.get("accept"), "a");
  headers.set("aCCept", "c");
  EXPECT_EQ(headers.fields().size(), 1u);
  EXPECT_EQ(headers.get("Accept"), "c");
  EXPECT_FALSE(headers.find("none"));
}

TEST(Query, DecodesPairsInOrder) {
  const Query query = Query::parse("a=1&b=x%20y+z&a=2&&tags[]=q&tags%5B%5D=r&bare&bad=100%&e=");
  EXPECT_EQ(query.get("b"), "x y z");
  EXPECT_EQ(query.all("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(query.all("tags"), (std::vector<std::string_view>{"q", "r"}));
  EXPECT_TRUE(query.flag("bare"));
  EXPECT_TRUE(query.flag("e"));
  EXPECT_FALSE(query.flag("none"));
  EXPECT_EQ(query.get("bad"), "100%");
}

TEST(Query, FlagsAreTrueOneOrEmpty) {
  struct Case {
    const char* raw;
    bool set;
  };
  for (const Case& c : {Case{"f=true", true},
                        {"f=True", true},
                        {"f=1", true},
                        {"f", true},
                        {"f=0", false},
                        {"f=false", false},
                        {"f=yes", false},
                        {"", false}})
    EXPECT_EQ(Query::parse(c.raw).flag("f"), c.set) << c.raw;
}

TEST(Query, IsBounded) {
  std::string raw;
  for (int i = 0; i < 100'000; ++i) raw += "a&";
  EXPECT_LE(Query::parse(raw).pairs().size(), 1024u);
}

TEST(Request, SplitsItsTarget) {
  Request request;
  request.target = "/a%2Fb?x=1?y";
  EXPECT_EQ(request.path(), "/a%2Fb");
  EXPECT_EQ(request.query().get("x"), "1?y");
  request.target = "/plain";
  EXPECT_EQ(request.path(), "/plain");
  EXPECT_TRUE(request.query().pairs().empty());
}

TEST(SseEvent, PutsEveryLineBehindData) {
  EXPECT_EQ(sse_event("", "x"), "data: x\n\n");
  EXPECT_EQ(sse_event("tick", "a\nb\r\nc\rd"), "event: tick\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(sse_event("", ""), "data: \n\n");
}

TEST(Range, IsReadAsRfc9110Says) {
  struct Case {
    const char* why;
    const char* header;
    uint64_t size;
    int64_t first, last;  // -1: whole; -2: unsatisfiable.
  };
  static constexpr Case cases[] = {
      {"absent", "", 10, -1, 0},
      {"first bytes", "bytes=0-4", 10, 0, 4},
      {"open end", "bytes=4-", 10, 4, 9},
      {"suffix", "bytes=-3", 10, 7, 9},
      {"suffix longer than the body", "bytes=-30", 10, 0, 9},
      {"end past the body", "bytes=4-400", 10, 4, 9},
      {"spaces and case", "Bytes= 1 - 2 ", 10, 1, 2},
      {"start past the end", "bytes=10-", 10, -2, 0},
      {"empty suffix", "bytes=-0", 10, -2, 0},
      {"empty body", "bytes=0-0", 0, -2, 0},
      {"suffix of an empty body", "bytes=-1", 0, -2, 0},
      {"several are answered whole", "bytes=0-1,3-4", 10, -1, 0},
      {"another unit", "lines=0-1", 10, -1, 0},
      {"backwards", "bytes=5-4", 10, -1, 0},
      {"no numbers", "bytes=-", 10, -1, 0},
      {"words", "bytes=a-b", 10, -1, 0},
      {"half a word", "bytes=1-b", 10, -1, 0},
      {"signed", "bytes=+1-2", 10, -1, 0},
      {"too large a number", "bytes=0-99999999999999999999999", 10, -1, 0},
      {"largest number", "bytes=0-18446744073709551615", 10, 0, 9},
  };
  for (const Case& c : cases) {
    const auto range = parse_range(c.header, c.size);
    if (c.first == -2) {
      ASSERT_FALSE(range.ok()) << c.why;
      EXPECT_EQ(range.error().reason, Reason::range_unsatisfiable) << c.why;
      continue;
    }
    ASSERT_TRUE(range.ok()) << c.why;
    EXPECT_EQ(range.value().has_value(), c.first >= 0) << c.why;
    if (!range.value() || c.first < 0) continue;
    EXPECT_EQ(range.value()->first, static_cast<uint64_t>(c.first)) << c.why;
    EXPECT_EQ(range.value()->last, static_cast<uint64_t>(c.last)) << c.why;
  }
}

TEST(PushedBody, IsBoundedAndTellsProducersThatItEnded) {
  const auto body = make_pushed_body(10);
  EXPECT_TRUE(body->push("12345678901234").ok());  // One piece always fits.
  const Status full = body->push("x");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, Code::busy);
  body->close();
  EXPECT_FALSE(body->push("y").ok());
  EXPECT_FALSE(body->gone());
}

}  // namespace
}  // namespace holdfast::net
