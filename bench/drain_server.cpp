// The least a Xet upload needs: takes every byte and keeps none. What an upload against it takes is the
// client's own time, the figure that `./dev bench hub` holds ours against. Prints its address and runs until
// it is killed.
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/server.h"

namespace holdfast {
namespace {

net::Response json(std::string text) {
  net::Response response;
  response.headers.set("Content-Type", "application/json");
  response.body = std::move(text);
  return response;
}

class Drain final : public net::BodySink {
 public:
  explicit Drain(std::string answer) : answer_(std::move(answer)) {}
  Status write(ByteView) override { return Done{}; }
  Result<net::Response> finish() override { return json(answer_); }

 private:
  std::string answer_;
};

// Every address in these answers is the one the client used.
std::string base_of(const net::Request& request) {
  return "http://" + std::string(request.headers.get("Host"));
}

Status add_routes(net::Router& router) {
  auto answer = [&router](std::string method, std::string pattern, std::string name,
                          std::function<std::string(const net::Request&)> text) {
    net::Handler handle = [text](const net::Request& request, const Context&) -> Result<net::Response> {
      return json(text(request));
    };
    return router.add({std::move(method), std::move(pattern), std::move(name), 16 << 20, handle});
  };
  auto drain = [&router](std::string pattern, std::string name, std::string text) {
    net::SinkMaker make = [text](const net::Request&,
                                 const Context&) -> Result<std::unique_ptr<net::BodySink>> {
      return std::unique_ptr<net::BodySink>(std::make_unique<Drain>(text));
    };
    return router.add({"POST", std::move(pattern), std::move(name), uint64_t{80} << 20, make});
  };
  TRY_DONE(
      answer("POST", "/api/models/{ns}/{name}/preupload/{rev}", "preupload", [](const net::Request& request) {
        // The one file's path, without a parser: the benchmark chose it.
        const size_t at = request.body.find("\"path\":");
        const size_t begin = request.body.find('"', at + 7) + 1;
        const std::string path = request.body.substr(begin, request.body.find('"', begin) - begin);
        return "{\"files\":[{\"path\":\"" + path + "\",\"uploadMode\":\"lfs\",\"shouldIgnore\":false}]}";
      }));
  TRY_DONE(answer(
      "GET", "/api/models/{ns}/{name}/xet-write-token/{rev}", "token", [](const net::Request& request) {
        return "{\"casUrl\":\"" + base_of(request) + "/cas\",\"exp\":4102444800,\"accessToken\":\"drain\"}";
      }));
  TRY_DONE(answer("POST", "/api/models/{ns}/{name}/commit/{rev}", "commit", [](const net::Request& request) {
    return "{\"success\":true,\"commitOid\":\"0000000000000000000000000000000000000001\",\"commitUrl\":\"" +
           base_of(request) +
           "/bench/speed/commit/0000000000000000000000000000000000000001\",\"hookOutput\":\"\"}";
  }));
  TRY_DONE(answer("POST", "/cas/v1/shards", "shards", [](const net::Request&) { return "{\"result\":1}"; }));
  TRY_DONE(answer("POST", "/cas/v1/telemetry", "telemetry", [](const net::Request&) { return "{}"; }));
  return drain("/cas/v1/xorbs/{prefix}/{hash}", "xorb", "{\"was_inserted\":true}");
}

}  // namespace
}  // namespace holdfast

int main() {
  using namespace holdfast;
  SystemClock clock;
  SystemRandom random;
  const auto sink = make_fd_log_sink(STDERR_FILENO);
  Log log(*sink, clock, LogLevel::error);
  const auto metrics = make_metrics();
  net::Router router;
  CHECK(add_routes(router).ok());
  net::ErrorWriter errors = [](const net::Request&, const Error& error, const Context&) {
    net::Response response = json("{\"error\":\"not here\"}");
    response.status = reason_row(error.code, error.reason).http_status;
    return response;
  };
  net::ServerOptions options;
  options.port = 0;
  auto server = net::start_server(options, router, errors, clock, random, log, *metrics);
  if (!server.ok()) return std::fprintf(stderr, "%s\n", server.error().message.c_str()), 1;
  std::printf("http://127.0.0.1:%d\n", server.value()->port());
  std::fflush(stdout);
  for (;;) ::pause();
}
