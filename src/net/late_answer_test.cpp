// Answers that are made later, by a server with one thread for handlers.
#include "net/late_answer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "net/server_test_kit.h"

namespace holdfast::net {
namespace {

// Made ready by the test, by its client's leaving or, where `time_is_up`, by a look.
class Promised final : public LateAnswer {
 public:
  explicit Promised(const Context& context, std::atomic<int>& living)
      : living_(living), left_(context.stop, [this] { keep("left"); }) {
    ++living_;
  }
  ~Promised() override { --living_; }
  void keep(std::string text) {
    std::function<void()> ready;
    {
      std::lock_guard lock(mutex_);
      if (!text_.empty()) return;
      text_ = std::move(text);
      ready = std::exchange(ready_, nullptr);
    }
    if (ready) ready();
  }
  void when_ready(std::function<void()> ready) override {
    {
      std::lock_guard lock(mutex_);
      if (text_.empty()) {
        ready_ = std::move(ready);
        return;
      }
    }
    ready();
  }
  Result<Response> finish() override {
    finished_by = std::this_thread::get_id();
    if (text_ == "bad") return fail(Code::not_found, "no such thing");
    if (text_ == "thrown") throw std::runtime_error("secret");
    return text_response(text_);
  }
  void look() override {
    ++looks;
    if (time_is_up) keep("late");
  }

  std::atomic<int> looks = 0;
  std::atomic<bool> time_is_up = false;
  std::thread::id finished_by;

 private:
  std::atomic<int>& living_;
  std::mutex mutex_;
  std::string text_;
  std::function<void()> ready_;
  const std::stop_callback<std::function<void()>> left_;
};

struct LateAnswerTest : testing::Test {
  static constexpr const char* get_late = "GET /late HTTP/1.1\r\nHost: x\r\n\r\n";
  std::atomic<int> living = 0;
  std::mutex mutex;
  std::vector<std::shared_ptr<Promised>> promised;
  std::atomic<std::thread::id> handled_by;
  TestServer test;

  void SetUp() override {
    test.options.disk_threads = 1;
    test.get("/late", [this](const Request&, const Context& context) -> Result<Response> {
      handled_by = std::this_thread::get_id();
      Response response;
      auto made = std::make_shared<Promised>(context, living);
      response.body = std::shared_ptr<LateAnswer>(made);
      std::lock_guard lock(mutex);
      promised.push_back(std::move(made));
      return response;
    });
    test.get("/hello",
             [](const Request&, const Context&) -> Result<Response> { return text_response("hello"); });
    test.start();
  }
  std::shared_ptr<Promised> wait_for(size_t count) {
    EXPECT_TRUE(eventually([&] {
      std::lock_guard lock(mutex);
      return promised.size() >= count;
    }));
    std::lock_guard lock(mutex);
    return promised[count - 1];
  }
};

TEST_F(LateAnswerTest, HoldsNoThreadAndIsMadeOnThePool) {
  RawConnection first(test.port()), second(test.port());
  first.send(get_late);
  const auto one = wait_for(1);
  second.send(get_late);
  const auto two = wait_for(2);
  EXPECT_TRUE(test.ask("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("hello"));
  two->keep("two");
  EXPECT_TRUE(second.read_answer().ends_with("two"));
  one->keep("one");
  EXPECT_TRUE(first.read_answer().ends_with("one"));
  EXPECT_EQ(one->finished_by, handled_by.load());
  first.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(first.read_answer().ends_with("hello")) << "the connection lives on";
}

TEST_F(LateAnswerTest, ItsFailureIsWrittenLikeAnyOtherAndAnExceptionIsNotTold) {
  RawConnection client(test.port());
  client.send(get_late);
  wait_for(1)->keep("bad");
  EXPECT_TRUE(client.read_answer().starts_with("HTTP/1.1 404 "));
  client.send(get_late);
  wait_for(2)->keep("thrown");
  const std::string answer = client.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(LateAnswerTest, IsLookedAtUntilItsTimeIsUp) {
  RawConnection client(test.port());
  client.send(get_late);
  const auto one = wait_for(1);
  EXPECT_TRUE(eventually([&] { return one->looks > 1; }));
  one->time_is_up = true;
  EXPECT_TRUE(client.read_answer().ends_with("late"));
}

TEST_F(LateAnswerTest, EndsWhenItsClientLeavesAndWhenTheServerStops) {
  {
    RawConnection client(test.port());
    client.send(get_late);
    wait_for(1);
  }
  {
    std::lock_guard lock(mutex);
    promised.clear();
  }
  EXPECT_TRUE(eventually([&] { return living == 0; }));
  RawConnection waiting(test.port());
  waiting.send(get_late);
  wait_for(1);
  test.server.reset();  // Gives no time at all.
  promised.clear();
  EXPECT_EQ(living, 0);
}

TEST_F(LateAnswerTest, WhatFollowsHearsOfEveryOutcome) {
  Context context;
  auto first = std::make_shared<Promised>(context, living);
  auto both = then(first, [](Result<Response> answer) -> Result<Response> {
    if (!answer.ok()) return text_response("instead: " + answer.error().message);
    return text_response(std::get<std::string>(answer.value().body) + ", then");
  });
  bool ready = false;
  both->when_ready([&] { ready = true; });
  EXPECT_FALSE(ready);
  both->look();
  EXPECT_EQ(first->looks, 1);
  first->keep("bad");
  EXPECT_TRUE(ready);
  EXPECT_EQ(std::get<std::string>(both->finish().value().body), "instead: no such thing");
}

}  // namespace
}  // namespace holdfast::net
