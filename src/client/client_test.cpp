#include "client/client.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <deque>

namespace holdfast::client {
namespace {

using std::chrono::milliseconds;

// Answers as it is told, one after the other; the last again and again.
class Scripted final : public net::Client {
 public:
  struct Step {
    int status = 200;  // 0: no connection.
    std::string retry_after{}, body = "{}";
  };
  explicit Scripted(std::vector<Step> steps) : steps_(std::move(steps)) {}

  Result<net::ClientResponse> send(const net::ClientRequest& request, const Context&) override {
    const Step& step = steps_[std::min(count, steps_.size() - 1)];
    ++count;
    last = request;
    if (step.status == 0) return fail(Reason::dependency_failed, "no connection");
    net::ClientResponse out{.status = step.status, .headers = {}, .body = step.body};
    if (!step.retry_after.empty()) out.headers.set("Retry-After", step.retry_after);
    return out;
  }
  size_t count = 0;
  net::ClientRequest last;

 private:
  const std::vector<Step> steps_;
};

struct Asked {
  size_t attempts = 0;
  std::vector<milliseconds> pauses;
  bool ok = false;
};

Asked ask(std::vector<Scripted::Step> steps, Question question, Context context = {}) {
  Scripted http(std::move(steps));
  ManualClock clock;
  SeededRandom random(1);
  Asked out;
  const auto client = make_client({.endpoint = "http://h/", .token = Secret(std::string("hf_x"))},
                                  {.http = http,
                                   .clock = clock,
                                   .random = random,
                                   .sleep = [&](milliseconds span, const std::stop_token&) {
                                     out.pauses.push_back(span);
                                     clock.advance(span);
                                   }});
  out.ok = client->ask(question, context).ok();
  out.attempts = http.count;
  EXPECT_EQ(http.last.url, "http://h" + question.path);
  EXPECT_EQ(http.last.headers.get("Authorization"), "Bearer hf_x");
  return out;
}

const Question get{.path = "/v1/models"}, post{.method = "POST", .path = "/v1/files", .body = "{}"};
const Question model{.method = "POST", .path = "/v1/embeddings", .body = "{}", .repeatable = Repeatable::yes};

TEST(Client, AttemptsAreCountedByWhatFailedAndWhatMayBeRepeated) {
  struct Case {
    const char* name;
    int status;
    Question question;
    size_t attempts;
  };
  for (const Case& one : std::vector<Case>{{"bad request", 400, get, 1},
                                           {"not found", 404, get, 1},
                                           {"conflict", 409, model, 1},
                                           {"too large", 413, model, 1},
                                           {"busy", 429, get, 4},
                                           {"busy model", 429, model, 4},
                                           {"unavailable", 503, model, 4},
                                           {"internal", 500, get, 4},
                                           {"no connection", 0, model, 4},
                                           {"a change, busy", 429, post, 1},
                                           {"a change, unavailable", 503, post, 1},
                                           {"a change, no connection", 0, post, 1}}) {
    const Asked asked = ask({{.status = one.status}}, one.question);
    EXPECT_EQ(asked.attempts, one.attempts) << one.name;
    EXPECT_FALSE(asked.ok) << one.name;
  }
}

TEST(Client, WhatRecoversIsAnswered) {
  const Asked asked = ask({{.status = 503}, {.status = 0}, {.status = 200}}, model);
  EXPECT_TRUE(asked.ok);
  EXPECT_EQ(asked.attempts, 3U);
  ASSERT_EQ(asked.pauses.size(), 2U);
  EXPECT_LE(asked.pauses[0], milliseconds(500));
  EXPECT_GE(asked.pauses[0], milliseconds(250));
  EXPECT_GE(asked.pauses[1], milliseconds(500));
}

TEST(Client, RetryAfterIsWaitedForAndNotBeyondTheBound) {
  const Asked seconds = ask({{.status = 429, .retry_after = "7"}, {}}, get);
  EXPECT_TRUE(seconds.ok);
  EXPECT_EQ(seconds.pauses, std::vector<milliseconds>{milliseconds(7'000)});
  const Asked longer = ask({{.status = 429, .retry_after = "3600"}, {}}, get);
  EXPECT_FALSE(longer.ok);
  EXPECT_EQ(longer.attempts, 1U);
  Context hurried;
  hurried.deadline = milliseconds(2'000);
  EXPECT_EQ(ask({{.status = 503, .retry_after = "5"}, {}}, get, hurried).attempts, 1U);
}

TEST(Client, RetryAfterIsReadAsSecondsOrAsADate) {
  const WallTime now = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + std::chrono::hours(8);
  EXPECT_EQ(read_retry_after("120", now), milliseconds(120'000));
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:00:05 GMT", now), milliseconds(5'000));
  EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 07:00:00 GMT", now), milliseconds(0));
  for (const char* bad :
       {"", "-1", "soon", "Sun, 06 Nox 1994 08:00:05 GMT", "Sun, 66 Nov 1994 08:00:05 GMT", "1.5"})
    EXPECT_FALSE(read_retry_after(bad, now).has_value()) << bad;
}

TEST(Client, ModelsAnswerInTheirTypes) {
  ManualClock clock;
  SeededRandom random(1);
  Scripted vectors({{.body = R"({"data":[{"embedding":[1,2.5]},{"embedding":[3,4]}]})"}});
  const auto first =
      make_client({.endpoint = "http://h"}, {.http = vectors, .clock = clock, .random = random});
  const auto got = first->embed("demo/m", {"a", "b"}, {});
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value()[0], (std::vector<float>{1, 2.5F}));
  EXPECT_FALSE(first->embed("demo/m", {"a"}, {}).ok()) << "two vectors for one text";
  Scripted said({{.body = R"({"choices":[{"message":{"content":"Paris"}}]})"}});
  const auto second = make_client({.endpoint = "http://h"}, {.http = said, .clock = clock, .random = random});
  const auto text = second->chat("demo/m", {boost::json::object{{"role", "user"}, {"content", "?"}}},
                                 {{"stream", true}}, {});
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text.value(), "Paris");
  EXPECT_EQ(std::get<std::string>(said.last.body).find("stream"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::client
