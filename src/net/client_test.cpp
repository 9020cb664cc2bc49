#include "net/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "net/address.h"
#include "net/server_test_kit.h"

namespace holdfast::net {
namespace {

struct ClientTest : testing::Test {
  TestServer test;
  std::unique_ptr<Client> client = make_client({.addresses = AddressPolicy::any}, test.clock);
  std::string url(std::string_view path, std::string_view scheme = "http",
                  std::string_view host = "127.0.0.1") const {
    return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(test.port()) +
           std::string(path);
  }
};

TEST_F(ClientTest, SendsAllMethodsWithFieldsAndBody) {
  auto echo = [](const Request& request, const Context&) -> Result<Response> {
    return text_response(
        request.method + "|" + request.body + "|" + std::string(request.headers.get("X-One")), 201);
  };
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
    test.route(method, "/echo", 1 << 20, Handler(echo));
  test.start();
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    ClientRequest request{.method = method, .url = url("/echo"), .body = method == "GET" ? "" : "body"};
    request.headers.set("X-One", "1");
    const auto response = client->send(request, {});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response.value().status, 201);
    EXPECT_EQ(response.value().body, method + (method == "GET" ? "||1" : "|body|1"));
    EXPECT_EQ(response.value().headers.get("content-type"), "text/plain");
  }
  const auto head = client->send({.method = "HEAD", .url = url("/echo")}, {});
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head.value().headers.get("Content-Length"), "6");
  EXPECT_EQ(head.value().body, "");
}

TEST_F(ClientTest, StreamsBothWays) {
  struct Source final : BodySource {
    size_t left = 3'000'000;
    Result<size_t> read(std::span<std::byte> into) override {
      const size_t count = std::min({into.size(), left, size_t{50'000}});
      std::fill_n(into.begin(), count, std::byte{'z'});
      left -= count;
      return count;
    }
  };
  test.route("PUT", "/echo", 10 << 20,
             Handler([](const Request& request, const Context&) -> Result<Response> {
               return text_response(request.body);
             }));
  test.start();
  for (const bool with_length : {true, false}) {
    Source source;
    size_t taken = 0;
    ClientRequest request{.method = "PUT", .url = url("/echo"), .body = &source};
    if (with_length) request.content_length = source.left;
    request.take = [&](ByteView bytes) -> Status {
      taken += bytes.size();
      return Done{};
    };
    const auto response = client->send(request, {});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(taken, 3'000'000u);
    EXPECT_EQ(response.value().body, "");
  }
}

TEST_F(ClientTest, BoundsTheAnswerAndPassesOnTheTakersError) {
  test.get("/big", [](const Request&, const Context&) -> Result<Response> {
    return text_response(std::string(100'000, 'x'));
  });
  test.start();
  const auto large = client->send({.url = url("/big"), .body_bytes_max = 99'999}, {});
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().reason, Reason::body_too_large);
  ClientRequest request{.url = url("/big")};
  request.take = [](ByteView) -> Status { return fail(Reason::disk_full, "full"); };
  const auto refused = client->send(request, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::disk_full);
}

TEST_F(ClientTest, GivesUpInTimeAndWhenToldTo) {
  std::atomic<bool> go = false;
  test.get("/slow", [&](const Request&, const Context&) -> Result<Response> {
    eventually([&] { return go.load(); });
    return text_response("late");
  });
  test.start();
  const auto late = client->send({.url = url("/slow"), .timeout = std::chrono::milliseconds(200)}, {});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().reason, Reason::timed_out);
  std::stop_source stop;
  Context context{.trace_id = "", .stop = stop.get_token()};
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const auto given_up = client->send({.url = url("/slow")}, context);
  ASSERT_FALSE(given_up.ok());
  EXPECT_EQ(given_up.error().reason, Reason::client_gone);
  context = {.trace_id = "", .deadline = test.clock.now() - std::chrono::milliseconds(1), .stop = {}};
  EXPECT_EQ(client->send({.url = url("/slow")}, context).error().reason, Reason::timed_out);
  go = true;
  test.server->stop();
}

TEST_F(ClientTest, FollowsRedirectsOnlyWhenAsked) {
  test.get("/from", [](const Request&, const Context&) -> Result<Response> {
    Response response = text_response("", 302);
    response.headers.set("Location", "/to");
    return response;
  });
  test.get("/to", [](const Request&, const Context&) -> Result<Response> { return text_response("there"); });
  test.start();
  EXPECT_EQ(client->send({.url = url("/from")}, {}).value().status, 302);
  const auto followed = client->send({.url = url("/from"), .redirects_max = 2}, {});
  EXPECT_EQ(followed.value().status, 200);
  EXPECT_EQ(followed.value().body, "there");
  EXPECT_FALSE(followed.value().headers.find("Location"));
}

TEST_F(ClientTest, RefusesAddressesInsideWhateverTheNameSays) {
  test.get("/", [](const Request&, const Context&) -> Result<Response> { return text_response("secret"); });
  test.start();
  const auto guarded_client = make_client({}, test.clock);
  for (const char* host :
       {"127.0.0.1", "localhost", "0.0.0.0", "2130706433", "127.1", "[::ffff:127.0.0.1]"}) {
    const auto response = guarded_client->send({.url = url("/", "http", host)}, {});
    ASSERT_FALSE(response.ok()) << host;
    EXPECT_EQ(response.error().reason, Reason::policy_refused) << host << ": " << response.error().message;
  }
}

TEST_F(ClientTest, ExplainsWhatCannotWork) {
  test.start();
  const std::string dead = url("/");
  test.server->stop();
  EXPECT_EQ(client->send({.url = dead}, {}).error().reason, Reason::dependency_failed);
  EXPECT_EQ(client->send({.url = "file:///etc/passwd"}, {}).error().reason, Reason::bad_request);
  EXPECT_EQ(client->send({.url = "http://"}, {}).error().reason, Reason::bad_request);
  ClientRequest split{.url = dead};
  split.headers.set("X", "a\r\nHost: b");
  EXPECT_EQ(client->send(split, {}).error().reason, Reason::bad_request);
}

TEST_F(ClientTest, SpeaksTlsAndChecksTheCertificate) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("net_client_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  test.options.certificate_file = folder / "cert.pem";
  test.options.key_file = folder / "key.pem";
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
      " -addext subjectAltName=DNS:localhost -keyout " +
      test.options.key_file + " -out " + test.options.certificate_file + " 2>/dev/null";
  ASSERT_EQ(0, std::system(make.c_str()));
  const std::string text(3'000'000, 'q');
  const auto file = std::make_shared<TextFile>(text);
  test.get("/file", [&](const Request& request, const Context&) -> Result<Response> {
    EXPECT_TRUE(request.secure);
    Response response;
    response.body = FileSlice{file, 0, text.size()};
    return response;
  });
  test.route("POST", "/echo", 1 << 20,
             Handler([](const Request& request, const Context&) -> Result<Response> {
               return text_response(request.body);
             }));
  test.start();
  EXPECT_EQ(client->send({.url = url("/file", "https", "localhost")}, {}).error().reason,
            Reason::dependency_failed);
  const auto trusting = make_client(
      {.addresses = AddressPolicy::any, .certificate_authorities_file = test.options.certificate_file},
      test.clock);
  for (int i = 0; i < 2; ++i) {
    const auto response = trusting->send({.url = url("/file", "https", "localhost")}, {});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response.value().body, text);
    const std::string sent(500'000, 'e');
    EXPECT_EQ(trusting->send({.method = "POST", .url = url("/echo", "https", "localhost"), .body = sent}, {})
                  .value()
                  .body,
              sent);
  }
  std::filesystem::remove_all(folder);
}

TEST(Address, IsPublicOrNot) {
  struct Case {
    const char* text;
    bool is_public;
  };
  static constexpr Case cases[] = {
      {"8.8.8.8", true},
      {"1.1.1.1", true},
      {"172.32.0.1", true},
      {"100.128.0.1", true},
      {"0.0.0.0", false},
      {"10.1.2.3", false},
      {"100.64.0.1", false},
      {"127.0.0.1", false},
      {"127.255.0.1", false},
      {"169.254.169.254", false},
      {"172.16.0.1", false},
      {"172.31.255.255", false},
      {"192.168.1.1", false},
      {"198.18.0.1", false},
      {"224.0.0.1", false},
      {"255.255.255.255", false},
      {"2606:4700::1111", true},
      {"::", false},
      {"::1", false},
      {"::ffff:10.0.0.1", false},
      {"::ffff:8.8.8.8", true},
      {"fe80::1", false},
      {"fd00::1", false},
      {"ff02::1", false},
      {"64:ff9b::7f00:1", false},
      {"2002:7f00:1::", false},
      {"2001::1", false},
      {"2001:db8::1", false},
  };
  for (const Case& c : cases) {
    sockaddr_storage storage{};
    if (in_addr v4{}; ::inet_pton(AF_INET, c.text, &v4) == 1) {
      storage.ss_family = AF_INET;
      reinterpret_cast<sockaddr_in&>(storage).sin_addr = v4;
    } else {
      storage.ss_family = AF_INET6;
      ASSERT_EQ(1, ::inet_pton(AF_INET6, c.text, &reinterpret_cast<sockaddr_in6&>(storage).sin6_addr))
          << c.text;
    }
    EXPECT_EQ(is_public_address(reinterpret_cast<const sockaddr&>(storage)), c.is_public) << c.text;
  }
}

}  // namespace
}  // namespace holdfast::net
