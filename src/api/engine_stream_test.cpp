#include "api/engine_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <semaphore>

#include "api/stream_telling.h"
#include "net/pushed_body.h"

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

const SystemTicks ticks;

// What goes through a telling that is told, and how it ended.
struct Told {
  Told() {
    telling->when_ended([this](const StreamEnd& said) {
      std::lock_guard lock(mutex);
      end = said;
      changed.notify_all();
      return std::string(": last\n\n");
    });
  }
  EnginePassing passing() const {
    return {telling, [](const Error& error) { return "data: failed " + error.message + "\n\n"; }};
  }
  StreamEnd wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return end.has_value(); });
    return *end;
  }
  std::shared_ptr<StreamTelling> telling = std::make_shared<StreamTelling>(&ticks);
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<StreamEnd> end;
};

EnginePassing untold() {
  auto telling = std::make_shared<StreamTelling>(nullptr);
  telling->when_ended({});
  return {std::move(telling), [](const Error&) { return std::string(); }};
}

net::PushedQueue& queue_of(const net::Response& answer) {
  return dynamic_cast<net::PushedQueue&>(*std::get<std::shared_ptr<net::PushedBody>>(answer.body));
}

TEST(EngineStream, AnEventStreamBeginsWithItsFirstPiece) {
  Engine engine;
  engine.pieces = {"da", "ta: 1\n\n", "data: 2\n\n"};
  engine.go_on.release(2);  // The third waits: the answer must not.
  Told told;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, told.passing());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().headers.get("Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_TRUE(std::holds_alternative<std::shared_ptr<net::PushedBody>>(answer.value().body));
  engine.go_on.release(1);
  const StreamEnd end = told.wait();
  EXPECT_FALSE(end.error);
  EXPECT_EQ(end.output, "data: 1\n\ndata: 2\n\n");
  EXPECT_EQ(end.bytes, end.output.size());
}

TEST(EngineStream, OnlyWholeEventsArePassedOnSoThatACharacterSplitOverPiecesIsWhole) {
  Engine engine;
  engine.pieces = {"data: caf\xC3", "\xA9\n", "\ndata: 2\r\n\r\ndata: {\"usa",
                   "ge\": {\"prompt_tokens\": 3, \"completion_tokens\": 4}}\n\n", "data: tail\n"};
  engine.go_on.release(3);
  Told told;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, told.passing());
  ASSERT_TRUE(answer.ok());
  engine.go_on.release(2);
  const StreamEnd end = told.wait();
  EXPECT_EQ(end.output,
            "data: caf\xC3\xA9\n\ndata: 2\r\n\r\ndata: {\"usage\": {\"prompt_tokens\": 3, "
            "\"completion_tokens\": 4}}\n\ndata: tail\n");
  EXPECT_EQ(end.work.tokens, 7U);
  EXPECT_EQ(end.work.written_tokens, 4U);
}

TEST(EngineStream, AnEngineThatDiesLeavesWholeEventsAndAnErrorInItsProtocol) {
  Engine engine;
  engine.pieces = {"data: 1\n\n", "data: {\"half"};
  engine.fails = true;
  engine.go_on.release(2);
  Told told;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, told.passing());
  ASSERT_TRUE(answer.ok());
  const StreamEnd end = told.wait();
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->reason, Reason::dependency_failed);
  EXPECT_EQ(end.output, "data: 1\n\ndata: failed cut short\n\n");
}

TEST(EngineStream, AnEventThatIsCutShortIsAFailureThoughTheConnectionEndedWell) {
  Engine engine;
  engine.pieces = {"data: 1\n\n", "data: {\"half"};
  engine.go_on.release(2);
  Told told;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, told.passing());
  ASSERT_TRUE(answer.ok());
  const StreamEnd end = told.wait();
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->reason, Reason::dependency_failed);
}

TEST(EngineStream, AReaderWhoLeavesEndsTheEnginesRequestAndIsNoFault) {
  Engine engine;
  engine.pieces = {"data: 1\n\n", "data: 2\n\n"};
  engine.go_on.release(1);
  Told told;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, told.passing());
  ASSERT_TRUE(answer.ok());
  queue_of(answer.value()).leave();
  const StreamEnd end = told.wait();
  EXPECT_TRUE(engine.left);
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->reason, Reason::client_gone);
}

TEST(EngineStream, AnAnswerThatNobodySendsEndsTheEnginesRequest) {
  Engine engine;
  engine.pieces = {"data: 1\n\n", "data: 2\n\n"};
  engine.go_on.release(1);
  Told told;
  const auto streams = make_engine_streams(ticks);
  {
    ASSERT_TRUE(streams->open(engine, {}, {}, told.passing()).ok());
  }
  EXPECT_EQ(told.wait().error->reason, Reason::client_gone);
}

TEST(EngineStream, ASlowReaderGetsEveryByte) {
  Engine engine;
  std::string sent;
  for (int i = 0; i < 30; ++i) {
    engine.pieces.push_back("data: " + std::string(300'000, static_cast<char>('a' + i % 26)) + "\n\n");
    sent += engine.pieces.back();
  }
  engine.go_on.release(1000);
  Told told;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, told.passing());
  ASSERT_TRUE(answer.ok());
  std::string got;
  for (bool closed = false; !closed;) {
    auto taken = queue_of(answer.value()).take();
    got += taken.bytes;
    closed = taken.closed;
  }
  EXPECT_TRUE(got == sent + ": last\n\n");
  EXPECT_TRUE(told.wait().output.empty());  // Longer than is kept;
  EXPECT_EQ(told.wait().bytes, sent.size());
}

TEST(EngineStream, AnAnswerThatIsNoStreamComesWhole) {
  Engine engine;
  engine.pieces = {"{\"a\":", "1}"};
  engine.go_on.release(2);
  const auto streams = make_engine_streams(ticks);
  auto answer = streams->open(engine, {}, {}, untold());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(std::get<std::string>(answer.value().body), "{\"a\":1}");
  EXPECT_EQ(answer.value().headers.get("Content-Type"), "application/json");
  engine.status = 429;
  answer = streams->open(engine, {}, {}, untold());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().status, 429);
  EXPECT_EQ(std::get<std::string>(answer.value().body), "{\"a\":");
}

TEST(EngineStream, AFailureBeforeTheFirstByteIsAnError) {
  Engine engine;
  engine.fails = true;
  const auto streams = make_engine_streams(ticks);
  const auto answer = streams->open(engine, {}, {}, untold());
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
    const auto streams = make_engine_streams(ticks);
    EXPECT_FALSE(streams->open(engine, {}, context, untold()).ok());
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
    const auto streams = make_engine_streams(ticks);
    for (size_t i = 0; i < engine_streams_max; ++i) {
      auto answer = streams->open(engine, {}, {}, untold());
      ASSERT_TRUE(answer.ok());
      open.push_back(std::move(answer).value());
    }
    EXPECT_EQ(streams->open(engine, {}, {}, untold()).error().reason, Reason::queue_full);
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
