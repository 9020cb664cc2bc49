#include "api/guarded_stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "api/served_note.h"
#include "api/services.h"
#include "api/stream_telling.h"
#include "codec/json.h"
#include "net/pushed_body.h"
#include "net/router.h"
#include "repo/hub_test_kit.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

serve::GuardStage stage_of(const char* text) {
  auto stage = serve::read_guard_stage(codec::parse_json(text).value());
  EXPECT_TRUE(stage.ok()) << text;
  return std::move(stage).value();
}

std::string chat_event(std::string_view text) {
  const json::object choice{
      {"index", 0}, {"delta", json::object{{"content", text}}}, {"finish_reason", nullptr}};
  return net::sse_event("", codec::to_text(json::object{{"id", "x"}, {"choices", json::array{choice}}}));
}

// A call whose streams are told, and a guarding endpoint that flags what has "bad" in it.
struct GuardedStreamTest : ::testing::Test {
  GuardedStreamTest() {
    request.method = "POST";
    request.body = R"({"stream": true, "stream_options": {"include_usage": true}})";
    note->dialect = Dialect::openai;
    note->stream = telling;
  }
  ~GuardedStreamTest() override { streams.reset(); }

  Status watch(std::vector<std::string> stages) {
    auto made = std::make_shared<serve::GuardStages>();
    for (const std::string& stage : stages) made->push_back(stage_of(stage.c_str()));
    const Call call{.request = request,
                    .context = {},
                    .caller = {},
                    .type = {},
                    .found = {},
                    .base_url = {},
                    .served = note};
    return streams->watch(
        services, call,
        {"ada/chat", made,
         [this](const Call& asked, const std::string&, const std::string&) { return guard(asked); },
         Dialect::openai});
  }
  Result<net::Response> guard(const Call& asked) {
    const std::string text = asked.request.body;
    {
      std::lock_guard lock(mutex);
      looked.push_back(text);
    }
    if (guard_fails) return fail(Reason::worker_failed, "no");
    net::Response out;
    out.body = codec::to_text(json::object{
        {"results", json::array{json::object{{"flagged", text.find("bad") != std::string::npos},
                                             {"category_scores", json::object{{"hate", 0.5}}}}}}});
    return out;
  }
  void begin() {
    telling->begin(body);
    telling->when_ended([this](const StreamEnd& said) {
      std::lock_guard lock(mutex);
      end = said;
      changed.notify_all();
      return std::string();
    });
  }
  StreamEnd wait() {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return end.has_value(); }));
    return end.value_or(StreamEnd{});
  }
  void write(const std::vector<std::string>& texts, serve::Work work = {.tokens = 30, .written_tokens = 10}) {
    for (const std::string& text : texts)
      if (!telling->push(chat_event(text)).ok()) break;
    telling->end({}, work);
  }

  repo::TestHub hub;
  net::Router router;
  Services services{.clock = hub.clock(),
                    .random = hub.random(),
                    .log = hub.log(),
                    .metrics = hub.metrics(),
                    .database = hub.database(),
                    .accounts = hub.accounts(),
                    .tokens = hub.tokens(),
                    .sessions = hub.sessions(),
                    .permission = hub.permission(),
                    .audit = hub.audit(),
                    .content = hub.content(),
                    .hub = hub.hub(),
                    .router = router,
                    .public_url = ""};
  SystemTicks ticks;
  net::Request request;
  std::shared_ptr<ServedNote> note = std::make_shared<ServedNote>();
  std::shared_ptr<StreamTelling> telling = std::make_shared<StreamTelling>(&ticks);
  std::shared_ptr<net::PushedQueue> body = std::make_shared<net::PushedQueue>(1 << 20);
  std::unique_ptr<GuardedStreams> streams = make_guarded_streams(ticks);
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<StreamEnd> end;
  std::vector<std::string> looked;
  std::atomic<bool> guard_fails = false;
};

TEST_F(GuardedStreamTest, WhatIsCleanGoesOutByteForByteAndItsWorkIsTold) {
  ASSERT_TRUE(
      watch({R"({"place": "after", "words": ["forbidden"]})", R"({"place": "after", "secrets": true})"})
          .ok());
  begin();
  write({"The ferry ", "is for", "ever late"});
  const StreamEnd said = wait();
  EXPECT_FALSE(said.error);
  EXPECT_EQ(said.output, chat_event("The ferry ") + chat_event("is for") + chat_event("ever late"));
  EXPECT_EQ(said.work.tokens, 30U);
  EXPECT_EQ(said.work.written_tokens, 10U);
}

TEST_F(GuardedStreamTest, WhatIsFoundEndsItStopsItsWriterAndIsCounted) {
  ASSERT_TRUE(watch({R"({"place": "after", "words": ["forbidden"]})"}).ok());
  begin();
  ASSERT_TRUE(telling->push(chat_event("it is ")).ok());
  ASSERT_TRUE(telling->push(chat_event("for")).ok());
  ASSERT_TRUE(telling->push(chat_event("bidden now")).ok());
  while (!telling->gone()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(telling->push(chat_event("more")).ok());
  telling->end(fail(Reason::client_gone, "left"), {.tokens = 8, .written_tokens = 3});
  const StreamEnd said = wait();
  ASSERT_TRUE(said.error);
  EXPECT_EQ(said.error->reason, Reason::policy_refused);
  EXPECT_TRUE(said.output.starts_with(chat_event("it is ")));
  EXPECT_EQ(said.output.find("for\""), std::string::npos) << said.output;
  EXPECT_NE(said.output.find(R"("finish_reason":"content_filter")"), std::string::npos);
  EXPECT_NE(said.output.find(R"("usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8})"),
            std::string::npos);
  EXPECT_TRUE(said.output.ends_with("data: [DONE]\n\n"));
}

TEST_F(GuardedStreamTest, AModelLooksBeforeAnythingGoesOutAndAtTheEnd) {
  ASSERT_TRUE(watch({R"({"place": "after", "endpoint": "ada/m", "ask": "moderations"})"}).ok());
  begin();
  write({"good ", "text"});
  EXPECT_FALSE(wait().error);
  ASSERT_EQ(looked.size(), 1U);
  EXPECT_NE(looked[0].find("good text"), std::string::npos);
}

TEST_F(GuardedStreamTest, WhatAModelFindsAtTheEndHoldsBackWhatItHadNotPassed) {
  ASSERT_TRUE(watch({R"({"place": "after", "endpoint": "ada/m", "ask": "moderations"})"}).ok());
  begin();
  write({"a bad ", "text"});
  const StreamEnd said = wait();
  ASSERT_TRUE(said.error);
  EXPECT_EQ(said.output.find("bad"), std::string::npos) << said.output;
}

TEST_F(GuardedStreamTest, OneThatCannotLookClosesOrOpens) {
  guard_fails = true;
  ASSERT_TRUE(
      watch({R"({"place": "after", "endpoint": "ada/m", "ask": "moderations", "failing": "open"})"}).ok());
  begin();
  write({"some ", "text"});
  EXPECT_EQ(wait().output, chat_event("some ") + chat_event("text"));
}

TEST_F(GuardedStreamTest, OneThatFailsClosedSaysSoInAnErrorEvent) {
  guard_fails = true;
  ASSERT_TRUE(watch({R"({"place": "after", "endpoint": "ada/m", "ask": "moderations"})"}).ok());
  begin();
  write({"some ", "text"});
  const StreamEnd said = wait();
  ASSERT_TRUE(said.error);
  EXPECT_EQ(said.error->reason, Reason::dependency_failed);
  EXPECT_NE(said.output.find("could not look"), std::string::npos);
  EXPECT_EQ(said.output.find("text\""), std::string::npos);
}

TEST_F(GuardedStreamTest, TheGuardrailsOfTwoEndpointsBothLook) {
  ASSERT_TRUE(watch({R"({"place": "after", "words": ["first"]})"}).ok());
  ASSERT_TRUE(watch({R"({"place": "after", "words": ["second"]})"}).ok());
  begin();
  write({"the second ", "one"});
  EXPECT_TRUE(wait().error);
}

TEST_F(GuardedStreamTest, AStreamThatNeverBeginsAndAServerThatEndsLeaveNothingBehind) {
  const std::weak_ptr<StreamTelling> left = telling;
  ASSERT_TRUE(watch({R"({"place": "after", "words": ["forbidden"]})"}).ok());
  note.reset();
  telling.reset();
  EXPECT_TRUE(left.expired()) << "it holds itself";
  telling = std::make_shared<StreamTelling>(&ticks);
  note = std::make_shared<ServedNote>();
  note->stream = telling;
  ASSERT_TRUE(watch({R"({"place": "after", "words": ["forbidden"]})"}).ok());
  begin();
  ASSERT_TRUE(telling->push(chat_event("never ends")).ok());
  streams.reset();
  EXPECT_TRUE(wait().error);
}

TEST_F(GuardedStreamTest, AReaderWhoIsSlowGetsEveryByte) {
  body = std::make_shared<net::PushedQueue>(2000);
  ASSERT_TRUE(watch({R"({"place": "after", "words": ["forbidden"]})"}).ok());
  begin();
  std::string sent, got;
  for (int i = 0; i < 200; ++i) {
    sent += chat_event(fmt::format("{} ", i));
    ASSERT_TRUE(telling->push(chat_event(fmt::format("{} ", i))).ok());
  }
  telling->end({}, {});
  for (int tries = 0; tries < 20'000; ++tries) {
    const auto taken = body->take();
    got += taken.bytes;
    if (taken.closed) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(got, sent);
}

}  // namespace
}  // namespace holdfast::api
