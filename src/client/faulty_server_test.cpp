// The client against a real server that fails as servers and networks do.
#include <gtest/gtest.h>

#include <atomic>

#include "base/log.h"
#include "base/metrics.h"
#include "client/client.h"
#include "net/client.h"
#include "net/router.h"
#include "net/server.h"

namespace holdfast::client {
namespace {

using std::chrono::milliseconds;

// Sends less than it promised: the connection is cut.
class CutShort final : public net::BodySource {
 public:
  Result<size_t> read(std::span<std::byte>) override {
    return fail(Reason::dependency_failed, "the wire is cut");
  }
};

class FaultyServer {
 public:
  FaultyServer() {
    net::Route route{.method = "POST", .pattern = "/{what}", .name = "what", .body_bytes_max = 1 << 20};
    route.handle = net::Handler([this](const net::Request& request, const Context&) {
      return answer(request.capture("what"), ++asked_);
    });
    EXPECT_TRUE(router_.add(std::move(route)).ok());
    server_ = net::start_server(
                  {.port = 0, .disk_threads = 4}, router_,
                  [](const net::Request&, const Error&, const Context&) {
                    net::Response out;
                    out.status = 500;
                    return out;
                  },
                  clock_, random_, log_, *metrics_)
                  .value();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  int asked() const { return asked_; }

 private:
  // "429": always that; "twice-503": twice, then well; "cut-once": half an answer, then a whole one.
  static Result<net::Response> answer(std::string_view what, int time) {
    net::Response out;
    out.body = "{}";
    if (what == "cut-once" && time == 1) {
      out.body = std::make_unique<CutShort>();
      out.content_length = 100;
    } else if (what == "twice-503" && time <= 2) {
      out.status = 503;
    } else if (what == "later" && time == 1) {
      out.status = 429;
      out.headers.set("Retry-After", "3");
    } else if (what == "400" || what == "409" || what == "429" || what == "503") {
      out.status = std::stoi(std::string(what));
    } else if (what == "slow") {
      auto never = net::make_pushed_body(100);
      out.body = never;  // Nothing is ever pushed.
    }
    return out;
  }

  std::atomic<int> asked_ = 0;
  ManualClock clock_;
  SeededRandom random_{3};
  MemoryLogSink sink_;
  Log log_{sink_, clock_};
  std::unique_ptr<Metrics> metrics_ = make_metrics();
  net::Router router_;
  std::unique_ptr<net::Server> server_;
};

struct Tried {
  int attempts = 0;
  bool ok = false;
  std::vector<milliseconds> pauses;
  Reason reason = Reason::none;
};

Tried attempt(const std::string& what, Repeatable repeatable) {
  FaultyServer server;
  ManualClock clock;
  SeededRandom random(1);
  net::ClientOptions inside;
  inside.addresses = net::AddressPolicy::any;
  const auto http = net::make_client(inside, clock);
  Tried out;
  const auto client =
      make_client({.endpoint = server.url(), .timeout = milliseconds(what == "slow" ? 100 : 60'000)},
                  {.http = *http,
                   .clock = clock,
                   .random = random,
                   .sleep = [&](milliseconds span, const std::stop_token&) { out.pauses.push_back(span); }});
  const auto answer =
      client->ask({.method = "POST", .path = "/" + what, .body = "{}", .repeatable = repeatable}, Context{});
  out.ok = answer.ok();
  if (!answer.ok()) out.reason = answer.error().reason;
  out.attempts = server.asked();
  return out;
}

TEST(FaultyServer, OnlyWhatMayBeRepeatedIsAskedAgain) {
  struct Case {
    const char* what;
    Repeatable repeatable;
    int attempts;
    bool ok;
  };
  for (const Case& one :
       {Case{"400", Repeatable::yes, 1, false}, Case{"409", Repeatable::yes, 1, false},
        Case{"429", Repeatable::yes, 4, false}, Case{"503", Repeatable::yes, 4, false},
        Case{"429", Repeatable::no, 1, false}, Case{"503", Repeatable::no, 1, false},
        Case{"twice-503", Repeatable::yes, 3, true}, Case{"cut-once", Repeatable::yes, 2, true},
        Case{"cut-once", Repeatable::no, 1, false}, Case{"slow", Repeatable::no, 1, false}}) {
    const Tried tried = attempt(one.what, one.repeatable);
    EXPECT_EQ(tried.attempts, one.attempts) << one.what;
    EXPECT_EQ(tried.ok, one.ok) << one.what;
    EXPECT_EQ(tried.pauses.size(), static_cast<size_t>(one.attempts - 1)) << one.what;
  }
}

TEST(FaultyServer, RetryAfterIsWaitedForAndATimeOutIsOne) {
  const Tried later = attempt("later", Repeatable::yes);
  EXPECT_TRUE(later.ok);
  EXPECT_EQ(later.pauses, std::vector<milliseconds>{milliseconds(3'000)});
  EXPECT_EQ(attempt("slow", Repeatable::no).reason, Reason::timed_out);
}

TEST(FaultyServer, NobodyListening) {
  ManualClock clock;
  SeededRandom random(1);
  net::ClientOptions inside;
  inside.addresses = net::AddressPolicy::any;
  const auto http = net::make_client(inside, clock);
  int pauses = 0;
  const auto client = make_client(
      {.endpoint = "http://127.0.0.1:1"},
      {.http = *http, .clock = clock, .random = random, .sleep = [&](milliseconds, const std::stop_token&) {
         ++pauses;
       }});
  EXPECT_EQ(client->ask({.path = "/v1/models"}, Context{}).error().reason, Reason::dependency_failed);
  EXPECT_EQ(pauses, 3);
}

}  // namespace
}  // namespace holdfast::client
