#include "api/stream_telling.h"

#include <gtest/gtest.h>

#include "net/pushed_body.h"
#include "serve/receipt.h"

namespace holdfast::api {
namespace {

using std::chrono::milliseconds;

struct StreamTellingTest : ::testing::Test {
  StreamTellingTest() { telling.begin(body); }
  void arm() {
    telling.when_ended([this](const StreamEnd& end) {
      ends.push_back(end);
      return std::string("receipt");
    });
  }
  ManualTicks ticks;
  StreamTelling telling{&ticks};
  std::shared_ptr<net::PushedQueue> body = std::make_shared<net::PushedQueue>(100);
  std::vector<StreamEnd> ends;
};

TEST_F(StreamTellingTest, WhoeverComesLastClosesTheBodyAndWhatIsToldComesBehindTheLastByte) {
  ASSERT_TRUE(telling.push("one ").ok());
  telling.end({}, {});
  EXPECT_FALSE(body->take().closed);
  arm();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].output, "one ");
  EXPECT_EQ(ends[0].output_digest, serve::body_digest("one "));
  const auto taken = body->take();
  EXPECT_EQ(taken.bytes, "receipt");
  EXPECT_TRUE(taken.closed);
  telling.end(fail(Reason::client_gone, "late"), {});  // The first time counts.
  arm();
  EXPECT_EQ(ends.size(), 1U);
}

TEST_F(StreamTellingTest, FirstTokenAndTimeBetweenTokensAreMeasured) {
  arm();
  ticks.advance(milliseconds(30));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(telling.push("x").ok());
    ticks.advance(milliseconds(10));
  }
  telling.end({}, {});
  EXPECT_EQ(ends.at(0).work.first_token, milliseconds(30));
  EXPECT_EQ(ends.at(0).work.between_tokens, milliseconds(10));
  EXPECT_EQ(ends.at(0).work.written_tokens, 5U);
}

TEST_F(StreamTellingTest, AFullBodyTakesTheReceiptWhenItHasRoom) {
  arm();
  ASSERT_TRUE(telling.push(std::string(100, 'x')).ok());
  telling.end({}, {});
  EXPECT_FALSE(telling.finish());
  EXPECT_EQ(body->take().bytes.size(), 100U);
  EXPECT_TRUE(telling.finish());
  EXPECT_EQ(body->take().bytes, "receipt");
  EXPECT_EQ(ends.size(), 1U);
}

TEST_F(StreamTellingTest, WhereNobodyTellsNothingIsKept) {
  telling.when_ended({});
  ASSERT_TRUE(telling.push("text").ok());
  telling.end({}, {});
  const auto taken = body->take();
  EXPECT_EQ(taken.bytes, "text");
  EXPECT_TRUE(taken.closed);
  arm();
  EXPECT_TRUE(ends.empty());
}

}  // namespace
}  // namespace holdfast::api
