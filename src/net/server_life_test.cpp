// Time, overload, clients that leave, and the end.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "net/server_test_kit.h"

namespace holdfast::net {
namespace {

using std::chrono::milliseconds;
constexpr const char* get_hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

struct LifeServer : testing::Test {
  std::atomic<int> sinks = 0, sources = 0, running = 0, stopped = 0;
  std::atomic<bool> go = false;
  std::shared_ptr<PushedBody> pushed = make_pushed_body(100'000);
  TestServer test;

  struct Sink final : BodySink {
    explicit Sink(std::atomic<int>& living) : alive(living) { ++alive; }
    ~Sink() override { --alive; }
    Status write(ByteView) override { return Done{}; }
    Result<Response> finish() override { return text_response("stored"); }
    std::atomic<int>& alive;
  };
  struct EndlessSource final : BodySource {
    explicit EndlessSource(std::atomic<int>& living) : alive(living) { ++alive; }
    ~EndlessSource() override { --alive; }
    Result<size_t> read(std::span<std::byte> into) override { return into.size(); }
    std::atomic<int>& alive;
  };

  void SetUp() override {
    test.get("/hello",
             [](const Request&, const Context&) -> Result<Response> { return text_response("hello"); });
    test.get("/wait", [this](const Request&, const Context& context) -> Result<Response> {
      ++running;
      eventually([&] { return go.load() || context.stop.stop_requested(); });
      if (context.stop.stop_requested()) ++stopped;
      --running;
      return text_response("waited");
    });
    test.get("/endless", [this](const Request&, const Context&) -> Result<Response> {
      Response response;
      response.body = std::unique_ptr<BodySource>(std::make_unique<EndlessSource>(sources));
      return response;
    });
    test.get("/pushed", [this](const Request&, const Context&) -> Result<Response> {
      Response response;
      response.body = pushed;
      return response;
    });
    test.route("PUT", "/up", 0,
               SinkMaker([this](const Request&, const Context&) -> Result<std::unique_ptr<BodySink>> {
                 return std::unique_ptr<BodySink>(std::make_unique<Sink>(sinks));
               }));
  }
  ~LifeServer() override { go = true; }
};

TEST_F(LifeServer, CutsAHeadThatComesTooSlowly) {
  test.options.limits.head_timeout = milliseconds(400);
  test.start();
  RawConnection loris(test.port());
  std::jthread drip([&](const std::stop_token& stop) {
    for (const char c :
         std::string("GET /hello HTTP/1.1\r\nHost: x\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) {
      if (stop.stop_requested() || !loris.send({&c, 1})) return;
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  EXPECT_TRUE(loris.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
}

TEST_F(LifeServer, ClosesIdleConnectionsWithoutAWord) {
  test.options.limits.idle_timeout = milliseconds(300);
  test.start();
  RawConnection silent(test.port()), used(test.port());
  used.send(get_hello);
  EXPECT_TRUE(used.read_answer().ends_with("hello"));
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(used.read_all(), "");
}

TEST_F(LifeServer, CutsUploadsThatStopOrDripAndDestroysTheirSink) {
  test.options.limits.idle_timeout = milliseconds(600);
  test.options.limits.progress_window = milliseconds(500);
  test.options.limits.progress_bytes_min = 1000;
  test.start();
  RawConnection stuck(test.port());
  stuck.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc");
  EXPECT_TRUE(stuck.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(eventually([&] { return sinks == 0; }));
  RawConnection dripping(test.port());
  dripping.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  std::jthread drip([&](const std::stop_token& stop) {
    for (int i = 0; i < 100 && !stop.stop_requested() && dripping.send("a"); ++i)
      std::this_thread::sleep_for(milliseconds(50));
  });
  EXPECT_TRUE(dripping.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(eventually([&] { return sinks == 0; }));
}

TEST_F(LifeServer, DestroysTheSinkWhenTheClientLeavesInsideAnUpload) {
  test.start();
  RawConnection client(test.port());
  client.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" +
              std::string(2'000'000, 'x'));
  EXPECT_TRUE(eventually([&] { return sinks == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return sinks == 0; }));
  EXPECT_TRUE(eventually([&] { return test.logged("\"status\":499"); }));
}

TEST_F(LifeServer, DestroysTheSourceWhenTheClientLeavesOrDoesNotRead) {
  test.options.limits.idle_timeout = milliseconds(500);
  test.start();
  RawConnection leaving(test.port()), deaf(test.port());
  leaving.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  deaf.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return sources == 2; }));
  leaving.close();
  EXPECT_TRUE(eventually([&] { return sources == 0; }));
}

TEST_F(LifeServer, TellsAHandlerThatItsClientLeft) {
  test.start();
  RawConnection client(test.port());
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return running == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] { return stopped == 1; }));
}

TEST_F(LifeServer, TellsAProducerThatItsClientLeftOrReadsTooSlowly) {
  test.start();
  auto client = std::make_unique<RawConnection>(test.port(), 4096);
  client->send("GET /pushed HTTP/1.1\r\nHost: x\r\n\r\n");
  client->read_until("\r\n\r\n");
  Status status = Done{};
  for (int i = 0; i < 1'000'000 && status.ok(); ++i) status = pushed->push(std::string(10'000, 'x'));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, Reason::queue_full);
  client.reset();
  EXPECT_TRUE(eventually([&] { return pushed->gone(); }));
  EXPECT_EQ(pushed->push("x").error().reason, Reason::client_gone);
}

TEST_F(LifeServer, RefusesAtOnceWhenTheQueueIsFull) {
  test.options.net_threads = 1;  // Two of them may both take the last place.
  test.options.disk_threads = 1;
  test.options.limits.jobs_waiting_max = 2;
  test.start();
  std::vector<std::unique_ptr<RawConnection>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawConnection>(test.port()));
    clients.back()->send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    if (i == 0) {
      EXPECT_TRUE(eventually([&] { return running == 1; }));
    }
  }
  // One runs and two wait; the others are answered while those still do.
  EXPECT_TRUE(eventually([&] {
    return test.metrics->text().find("holdfast_http_refused_total{why=\"queue_full\"} 7") !=
           std::string::npos;
  }));
  EXPECT_EQ(running, 1);
  go = true;
  int waited = 0, refused = 0;
  for (auto& client : clients) {
    const std::string answer = client->read_answer();
    if (answer.ends_with("waited")) ++waited;
    if (answer.starts_with("HTTP/1.1 429 ") && answer.find("Retry-After: 1") != std::string::npos) ++refused;
  }
  EXPECT_EQ(waited, 3);
  EXPECT_EQ(refused, 7);
}

TEST_F(LifeServer, StopsGracefullyWhileBusy) {
  test.start();
  RawConnection busy(test.port()), idle(test.port());
  idle.send(get_hello);
  idle.read_answer();
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return running == 1; }));
  std::jthread stopper([&] { test.server->stop(); });
  EXPECT_TRUE(idle.ended());
  EXPECT_EQ(running, 1);
  go = true;
  const std::string answer = busy.read_answer();
  EXPECT_TRUE(answer.ends_with("waited"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  stopper.join();
  EXPECT_EQ(stopped, 0);
}

TEST_F(LifeServer, CutsWhatStillRunsAfterTheStopTimeOut) {
  test.options.limits.stop_timeout = milliseconds(200);
  test.start();
  RawConnection waiting(test.port()), endless(test.port()), uploading(test.port()), listening(test.port());
  waiting.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  endless.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  uploading.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc");
  listening.send("GET /pushed HTTP/1.1\r\nHost: x\r\n\r\n");
  listening.read_until("\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return running == 1 && sources == 1 && sinks == 1; }));
  test.server->stop();
  EXPECT_EQ(stopped, 1);
  EXPECT_EQ(sources, 0);
  EXPECT_EQ(sinks, 0);
  EXPECT_TRUE(pushed->gone());
}

TEST_F(LifeServer, ServesFiveHundredConnectionsAndTurnsMoreAway) {
  test.options.limits.connections_max = 500;
  test.start();
  std::vector<std::unique_ptr<RawConnection>> clients;
  for (int i = 0; i < 500; ++i) clients.push_back(std::make_unique<RawConnection>(test.port()));
  for (int round = 0; round < 2; ++round) {
    for (auto& client : clients) ASSERT_TRUE(client->send(get_hello));
    for (auto& client : clients) ASSERT_TRUE(client->read_answer().ends_with("hello"));
  }
  RawConnection late(test.port());
  late.send(get_hello);
  const std::string turned_away = late.read_all();
  EXPECT_TRUE(turned_away.starts_with("HTTP/1.1 503 "));
  EXPECT_NE(turned_away.find("X-Request-Id: "), std::string::npos);
  EXPECT_NE(test.metrics->text().find("holdfast_http_connections 500"), std::string::npos);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return test.ask(get_hello).ends_with("hello"); }));
}

TEST_F(LifeServer, AnswersInternalErrorWhenAHandlerGivesNothing) {
  test.get("/null_source", [](const Request&, const Context&) -> Result<Response> {
    Response response;
    response.body = std::unique_ptr<BodySource>();
    return response;
  });
  test.get("/null_file", [](const Request&, const Context&) -> Result<Response> {
    Response response;
    response.body = FileSlice{nullptr, 0, 10};
    return response;
  });
  test.route("PUT", "/null_sink", 0,
             SinkMaker([](const Request&, const Context&) -> Result<std::unique_ptr<BodySink>> {
               return std::unique_ptr<BodySink>();
             }));
  test.start();
  EXPECT_TRUE(test.ask("GET /null_source HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(test.ask("GET /null_file HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(test.ask("PUT /null_sink HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(LifeServer, TakesTheNextFreePortWhenAsked) {
  test.start();
  ServerOptions options{.port = test.port()};
  auto errors = [](const Request&, const Error&, const Context&) { return Response{}; };
  auto taken = start_server(options, test.router, errors, test.clock, test.random, test.log, *test.metrics);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, Code::unavailable);
  options.next_free_port = true;
  auto next = start_server(options, test.router, errors, test.clock, test.random, test.log, *test.metrics);
  ASSERT_TRUE(next.ok());
  EXPECT_GT(next.value()->port(), test.port());
  options.address = "not an address";
  EXPECT_FALSE(
      start_server(options, test.router, errors, test.clock, test.random, test.log, *test.metrics).ok());
}

TEST_F(LifeServer, CountsWhatItDoes) {
  test.start();
  test.ask(get_hello);
  test.ask("GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  auto counted = [&](const char* line) { return test.metrics->text().find(line) != std::string::npos; };
  EXPECT_TRUE(eventually([&] {
    return counted("holdfast_http_requests_total{method=\"GET\",route=\"test_0\",status=\"2xx\"} 1") &&
           counted("holdfast_http_requests_total{method=\"other\",route=\"none\",status=\"4xx\"} 1") &&
           counted("holdfast_http_request_duration_seconds_count{route=\"test_0\"} 1");
  })) << test.metrics->text();
  EXPECT_TRUE(test.logged("\"event\":\"http_request\""));
}

}  // namespace
}  // namespace holdfast::net
