#include "api/engine_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <semaphore>

namespace holdfast::api {
namespace {

// An engine that sends what it is told, a piece for each permission, until its reader leaves.
class Engine final : public net::Client {
 public:
  Result<net::ClientResponse> send(const net::ClientRequest& request, const Context& context) override {
    net::ClientResponse out{.status = status, .headers = {}, .body = {}};
    out.headers.set("Content-Type", "application/json");
    if (status >= 400) {
      out.body = pieces.front();
      return out;
    }
    for (const std::string& piece : pieces) {
      while (!go_on.try_acquire_for(std::chrono::milliseconds(5)))
        if (context.stop.stop_requested()) {
          left = true;
          return fail(Reason::client_gone, "left");
        }
      TRY_DONE(request.take(as_bytes(piece)));
    }
    if (fails) return fail(Reason::dependency_failed, "cut short");
    return out;
  }
  int status = 200;
  bool fails = false;
  std::vector<std::string> pieces;
  std::counting_semaphore<1000> go_on{0};
  std::atomic<bool> left = false;
};

TEST(EngineStream, AnEventStreamBeginsWithItsFirstPiece) {
  Engine engine;
  engine.pieces = {"da", "ta: 1\n\n", "data: 2\n\n"};
  engine.go_on.release(2);  // The third waits: the answer must not.
  const auto streams = make_engine_streams();
  const auto answer = streams->open(engine, {}, {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().headers.get("Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_TRUE(std::holds_alternative<std::shared_ptr<net::PushedBody>>(answer.value().body));
  engine.go_on.release(1);
}

TEST(EngineStream, AnAnswerThatIsNoStreamComesWhole) {
  Engine engine;
  engine.pieces = {"{\"a\":", "1}"};
  engine.go_on.release(2);
  const auto streams = make_engine_streams();
  auto answer = streams->open(engine, {}, {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<std::string>(answer.value().body), "{\"a\":1}");
  EXPECT_EQ(answer.value().headers.get("Content-Type"), "application/json");
  engine.status = 429;
  answer = streams->open(engine, {}, {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().status, 429);
  EXPECT_EQ(std::get<std::string>(answer.value().body), "{\"a\":");
}

TEST(EngineStream, AFailureBeforeTheFirstByteIsAnError) {
  Engine engine;
  engine.fails = true;
  const auto streams = make_engine_streams();
  const auto answer = streams->open(engine, {}, {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, Reason::dependency_failed);
}

TEST(EngineStream, ACallerWhoLeavesBeforeTheBeginEndsTheEnginesRequest) {
  Engine engine;
  engine.pieces = {"data: 1\n\n"};
  std::stop_source caller;
  caller.request_stop();
  Context context;
  context.stop = caller.get_token();
  {
    const auto streams = make_engine_streams();
    EXPECT_FALSE(streams->open(engine, {}, context).ok());
  }
  EXPECT_TRUE(engine.left);
}

// Streams that have begun and do not end.
class Endless final : public net::Client {
 public:
  Result<net::ClientResponse> send(const net::ClientRequest& request, const Context& context) override {
    TRY_DONE(request.take(as_bytes("data: 1\n\n")));
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, context.stop, [] { return false; });
    ++ended;
    return fail(Reason::client_gone, "left");
  }
  std::atomic<size_t> ended = 0;
};

TEST(EngineStream, TheirNumberIsBoundedAndTheEndEndsThemAll) {
  Endless engine;
  std::vector<net::Response> open;
  {
    const auto streams = make_engine_streams();
    for (size_t i = 0; i < engine_streams_max; ++i) {
      auto answer = streams->open(engine, {}, {});
      ASSERT_TRUE(answer.ok());
      open.push_back(std::move(answer).value());
    }
    EXPECT_EQ(streams->open(engine, {}, {}).error().reason, Reason::queue_full);
  }
  EXPECT_EQ(engine.ended, engine_streams_max);
}

TEST(EngineStream, AStreamIsWhatTheBodyOrTheAddressAsksFor) {
  EXPECT_TRUE(asks_for_stream("generate_stream", ""));
  EXPECT_TRUE(asks_for_stream("v1/chat/completions", R"({"stream": true})"));
  EXPECT_FALSE(asks_for_stream("v1/chat/completions", R"({"stream": false})"));
  EXPECT_FALSE(asks_for_stream("v1/chat/completions", R"({"messages": "\"stream\": true"})"));
  EXPECT_FALSE(asks_for_stream("v1/chat/completions", "nonsense \"stream\""));
}

}  // namespace
}  // namespace holdfast::api
