// What a hostile or broken client sends.
#include <gtest/gtest.h>

#include "codec/gzip.h"
#include "net/server_test_kit.h"

namespace holdfast::net {
namespace {

constexpr const char* post = "POST /echo HTTP/1.1\r\nHost: x\r\n";

struct HostileServer : testing::Test {
  TestServer test;
  void SetUp() override {
    auto echo = [](const Request& request, const Context&) -> Result<Response> {
      return text_response("body:" + request.body);
    };
    test.get("/echo", echo);
    test.route("POST", "/echo", 100'000, Handler(echo));
    test.route("POST", "/throws", 100, Handler([](const Request&, const Context&) -> Result<Response> {
                 throw std::runtime_error("the password is 1234");
               }));
    test.get("/splits", [](const Request&, const Context&) -> Result<Response> {
      Response response = text_response("x");
      response.headers.set("X-Name", "a\r\nSet-Cookie: b");
      return response;
    });
    test.options.limits.head_bytes_max = 16 << 10;
    test.options.limits.header_fields_max = 20;
    test.start();
  }
};

TEST_F(HostileServer, MalformedHeadsAreRefusedAndEndTheConnection) {
  struct Case {
    const char *why, *bytes;
  };
  static constexpr Case cases[] = {
      {"TLS to a plain port", "\x16\x03\x01\x02\x01"},
      {"binary", "\xff\xfe\xfd"},
      {"no target", "GET\r\n\r\n"},
      {"no version", "GET /echo\r\nHost: x\r\n\r\n"},
      {"version 2", "GET /echo HTTP/2.0\r\nHost: x\r\n\r\n"},
      {"version 0.9", "GET /echo HTTP/0.9\r\nHost: x\r\n\r\n"},
      {"two spaces", "GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"space in the target", "GET /ec ho HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"bare line feeds", "GET /echo HTTP/1.1\nHost: x\r\n\r\n"},
      {"control character in the target", "GET /echo\x01 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"control character in a value", "GET /echo HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n"},
      {"space before the colon", "GET /echo HTTP/1.1\r\nHost : x\r\n\r\n"},
      {"field without colon", "GET /echo HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n"},
      {"field without name", "GET /echo HTTP/1.1\r\nHost: x\r\n: abc\r\n\r\n"},
      {"folded line", "GET /echo HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"},
      {"folded first line", "GET /echo HTTP/1.1\r\n Host: x\r\n\r\n"},
      {"no host", "GET /echo HTTP/1.1\r\n\r\n"},
      {"two hosts", "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
      {"fragment", "GET /echo#a HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"authority as target", "CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"unknown expectation", "GET /echo HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n"},
      {"length and chunks",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunks and length",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
      {"two lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
      {"the same length twice",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
      {"a list of lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc"},
      {"a signed length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc"},
      {"a negative length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc"},
      {"a hexadecimal length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc"},
      {"an enormous length",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nabc"},
      {"an empty length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\nabc"},
      {"another coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n"},
      {"two codings", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"chunked twice",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n"},
      {"coding with a tab",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0b"
       "chunked\r\n\r\n0\r\n\r\n"},
      {"chunks in 1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunk size of words",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"},
      {"negative chunk size",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"},
      {"enormous chunk size",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc"},
      {"chunk longer than its size",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
  };
  for (const Case& c : cases) {
    RawConnection connection(test.port());
    connection.send(std::string(c.bytes) + "GET /echo?smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string all = connection.read_all();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << c.why << ":\n" << all;
    EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << c.why;
    EXPECT_NE(all.find("X-Request-Id: "), std::string::npos) << c.why;
    EXPECT_EQ(all.find("HTTP/1.1", 8), std::string::npos) << c.why << ": a second answer\n" << all;
  }
}

TEST_F(HostileServer, OddButLegalHeadsAreUnderstood) {
  for (const char* bytes :
       {"\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://x/echo HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", "GET /echo HTTP/1.1\r\nhOsT:x   \r\nA:\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\ntransfer-encoding: Chunked\r\n\r\n1;a=\"b\"\r\nx\r\n000\r\n\r\n"})
    EXPECT_TRUE(test.ask(bytes).starts_with("HTTP/1.1 200 ")) << bytes;
}

TEST_F(HostileServer, LargeHeadsAreRefusedWithAnAnswerThatArrives) {
  RawConnection huge(test.port());
  huge.send("GET /echo HTTP/1.1\r\nHost: x\r\nA: ");
  huge.send(std::string(10 << 20, 'a'));
  EXPECT_TRUE(huge.read_all().starts_with("HTTP/1.1 431 "));
  std::string many = "GET /echo HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 20; ++i) many += "A: b\r\n";
  EXPECT_TRUE(test.ask(many + "\r\n").starts_with("HTTP/1.1 431 "));
}

TEST_F(HostileServer, BodiesBeyondTheLimitAreRefusedWithAnAnswerThatArrives) {
  RawConnection announced(test.port());
  announced.send(std::string(post) + "Content-Length: 50000000\r\n\r\n");
  announced.send(std::string(50'000'000, 'x'));  // Larger than all socket buffers: we must not reset it away.
  EXPECT_TRUE(announced.read_all().starts_with("HTTP/1.1 413 "));
  RawConnection chunked(test.port());
  chunked.send(std::string(post) + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) chunked.send(chunk);
  EXPECT_TRUE(chunked.read_all().starts_with("HTTP/1.1 413 "));
  RawConnection small(test.port());  // To a route that takes none: read, dropped, and the connection lives.
  small.send(
      "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(small.read_answer().ends_with("body:"));
  EXPECT_TRUE(small.read_answer().ends_with("body:"));
}

TEST_F(HostileServer, CompressedBodiesAreUndoneWithinTheLimit) {
  auto send = [&](std::string_view encoding, std::string_view body) {
    RawConnection connection(test.port());
    connection.send(std::string(post) + "Content-Encoding: " + std::string(encoding) +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    return connection.read_answer();
  };
  auto gzip = [](std::string_view text) {
    return std::string(as_text(codec::deflate(as_bytes(text), codec::Deflate::gzip)));
  };
  EXPECT_TRUE(send("gzip", gzip("hello")).ends_with("body:hello"));
  EXPECT_TRUE(
      send("deflate", as_text(codec::deflate(as_bytes(std::string_view("hello")), codec::Deflate::zlib)))
          .ends_with("body:hello"));
  EXPECT_TRUE(send("identity", "hello").ends_with("body:hello"));
  EXPECT_TRUE(send("gzip", gzip(std::string(100'000, '\0'))).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(send("gzip", gzip(std::string(50'000'000, '\0'))).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(send("gzip", "no gzip at all").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(send("gzip", gzip("hello").substr(0, 15)).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(send("br", "x").starts_with("HTTP/1.1 415 "));
}

TEST_F(HostileServer, ExpectationsAreMetOrRefusedAtOnce) {
  RawConnection welcome(test.port());
  welcome.send(std::string(post) + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(welcome.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  welcome.send("12345");
  EXPECT_TRUE(welcome.read_answer().ends_with("body:12345"));
  welcome.send(std::string(post) + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");  // Did not wait.
  EXPECT_TRUE(welcome.read_answer().ends_with("body:abc"));
  RawConnection refused(test.port());
  refused.send(std::string(post) + "Expect: 100-continue\r\nContent-Length: 500000\r\n\r\n");
  EXPECT_TRUE(refused.read_until("\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(refused.ended());
}

TEST_F(HostileServer, ExceptionsAndBrokenAnswersAreInternalErrorsThatTellNothing) {
  const std::string thrown = test.ask("POST /throws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(thrown.starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(thrown.find("password"), std::string::npos);
  EXPECT_TRUE(test.logged("the password is 1234"));
  const std::string split = test.ask("GET /splits HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(split.starts_with("HTTP/1.1 500 "));
  EXPECT_EQ(split.find("Set-Cookie"), std::string::npos);
}

TEST_F(HostileServer, ForeignRequestIdsAreTakenOnlyWhenHarmless) {
  for (const char* id : {"a b", "<script>", "\"", ""}) {
    const std::string answer =
        test.ask("GET /echo HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + std::string(id) + "\r\n\r\n");
    const std::string own = answer.substr(answer.find("X-Request-Id: ") + 14, 34);
    EXPECT_TRUE(own.ends_with("\r\n")) << own;  // 32 digits of our own.
  }
}

}  // namespace
}  // namespace holdfast::net
