#include "net/server.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "net/server_test_kit.h"

namespace holdfast::net {
namespace {

using testing::Test;
constexpr std::string_view host = " HTTP/1.1\r\nHost: x\r\n";

std::string get(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + std::string(host) + std::string(more) + "\r\n";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Result<Response> hello(const Request&, const Context&) { return text_response("hello"); }

struct CountingSink final : BodySink {
  explicit CountingSink(std::atomic<int>& living, size_t fail_after = SIZE_MAX)
      : alive(living), bytes_max(fail_after) {
    ++alive;
  }
  ~CountingSink() override { --alive; }
  Status write(ByteView bytes) override {
    for (std::byte b : bytes) sum = sum * 31 + std::to_integer<uint64_t>(b);
    count += bytes.size();
    if (count > bytes_max) return fail(Reason::quota, "no more room");
    return Done{};
  }
  Result<Response> finish() override {
    return text_response(std::to_string(count) + " " + std::to_string(sum));
  }
  std::atomic<int>& alive;
  size_t bytes_max, count = 0;
  uint64_t sum = 0;
};

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 2654435761u >> 13);
  return text;
}

std::string sum_of(std::string_view text) {
  uint64_t sum = 0;
  for (char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
  return std::to_string(text.size()) + " " + std::to_string(sum);
}

TEST(Server, AnswersASimpleGetWithItsFields) {
  TestServer test;
  test.get("/hello", hello);
  test.start();
  const std::string answer = test.ask(get("/hello", "X-Request-Id: abc-1\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(has(answer, "X-Request-Id: abc-1\r\n"));
  EXPECT_TRUE(has(answer, "Server: holdfast\r\n"));
  EXPECT_TRUE(has(answer, "X-Content-Type-Options: nosniff\r\n"));
  EXPECT_TRUE(has(answer, "Content-Length: 5\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello"));
  EXPECT_TRUE(eventually([&] { return test.logged("\"route\":\"test_0\""); }));
}

TEST(Server, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  TestServer test;
  test.get("/{name}", [](const Request& request, const Context&) -> Result<Response> {
    return text_response("[" + std::string(request.capture("name")) + "]");
  });
  test.start();
  RawConnection connection(test.port());
  connection.send(get("/a") + get("/b") + get("/c%2Fd") + "\r\n" + get("/e"));
  EXPECT_TRUE(connection.read_answer().ends_with("[a]"));
  EXPECT_TRUE(connection.read_answer().ends_with("[b]"));
  EXPECT_TRUE(connection.read_answer().ends_with("[c/d]"));
  EXPECT_TRUE(connection.read_answer().ends_with("[e]"));
  connection.send("GET /last HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(has(connection.read_answer(), "Connection: close"));
  EXPECT_TRUE(connection.ended());
}

TEST(Server, SaysWhatIsNotThereAndWhichMethodsArePossible) {
  TestServer test;
  test.get("/hello", hello);
  test.route("PUT", "/hello", 10, Handler(hello));
  test.start();
  EXPECT_TRUE(test.ask(get("/none")).starts_with("HTTP/1.1 404"));
  const std::string refused = test.ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(has(refused, "Allow: GET, HEAD, PUT\r\n"));
}

TEST(Server, AnswersHeadWithTheLengthAndNoBody) {
  TestServer test;
  test.get("/hello", hello);
  test.start();
  RawConnection connection(test.port());
  connection.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + get("/hello"));
  const std::string head = connection.read_until("\r\n\r\n");
  EXPECT_TRUE(has(head, "Content-Length: 5\r\n"));
  EXPECT_TRUE(connection.read_answer().starts_with("HTTP/1.1 200 OK"));
}

TEST(Server, ReadsABufferedBodyOfKnownLengthAndChunked) {
  TestServer test;
  test.route("POST", "/echo", 1 << 20, Handler([](const Request& r, const Context&) -> Result<Response> {
               return text_response(r.body);
             }));
  test.start();
  RawConnection connection(test.port());
  connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345");
  EXPECT_TRUE(connection.read_answer().ends_with("\r\n\r\n12345"));
  connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n");
  connection.send("2\r\nde\r\n0\r\nTrailer: dropped\r\n\r\n");
  EXPECT_TRUE(connection.read_answer().ends_with("\r\n\r\nabcde"));
  const std::string large = pattern(900'000);
  connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + large);
  EXPECT_TRUE(connection.read_answer().ends_with(large));
}

TEST(Server, GivesALargeBodyToASinkPieceByPiece) {
  TestServer test;
  std::atomic<int> alive = 0;
  test.route("PUT", "/up", 0,
             SinkMaker([&](const Request&, const Context&) -> Result<std::unique_ptr<BodySink>> {
               return std::unique_ptr<BodySink>(std::make_unique<CountingSink>(alive));
             }));
  test.start();
  const std::string body = pattern(3'333'333);
  RawConnection connection(test.port());
  connection.send("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 3333333\r\n\r\n" + body);
  EXPECT_TRUE(connection.read_answer().ends_with("\r\n\r\n" + sum_of(body)));
  connection.send("PUT /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (size_t at = 0; at < body.size(); at += 70'000) {
    const std::string piece = body.substr(at, 70'000);
    char head[32];
    snprintf(head, sizeof head, "%zx\r\n", piece.size());
    connection.send(head + piece + "\r\n");
  }
  connection.send("0\r\n\r\n" + get("/none"));
  EXPECT_TRUE(connection.read_answer().ends_with("\r\n\r\n" + sum_of(body)));
  EXPECT_TRUE(connection.read_answer().starts_with("HTTP/1.1 404"));
  EXPECT_EQ(alive, 0);
}

// A file without a name, of five million bytes.
struct KernelFile final : io::ReadFile {
  explicit KernelFile(const std::string& text) {
    char name[] = "/tmp/net_server_test_XXXXXX";
    file = ::mkstemp(name);
    EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::unlink(name);
  }
  ~KernelFile() override { ::close(file); }
  Result<uint64_t> size() const override { return uint64_t{5'000'000}; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    return static_cast<size_t>(::pread(file, into.data(), into.size(), static_cast<off_t>(offset)));
  }
  int descriptor() const override { return file; }
  int file;
};

TEST(Server, SurvivesClientsThatLeaveInsideAFile) {
  const std::string text = pattern(5'000'000);
  const auto file = std::make_shared<KernelFile>(text);
  TestServer test;
  test.get("/file", [&](const Request&, const Context&) -> Result<Response> {
    Response response;
    response.body = FileSlice{file, 0, text.size()};
    return response;
  });
  test.start();
  for (int i = 0; i < 50; ++i) {
    RawConnection leaving(test.port(), i % 2 == 0 ? 4096 : 0);
    leaving.send(get("/file"));
    leaving.read_until("\r\n\r\n");
  }
  EXPECT_TRUE(test.ask(get("/file")).ends_with(text));
}

TEST(Server, SendsPartsOfFilesByTheKernelAndFromMemory) {
  TestServer test;
  const std::string text = pattern(5'000'000);
  std::map<std::string, std::shared_ptr<io::ReadFile>> files{{"kernel", std::make_shared<KernelFile>(text)},
                                                             {"memory", std::make_shared<TextFile>(text)}};
  test.get("/{name}", [&](const Request& request, const Context&) -> Result<Response> {
    TRY(const auto range, parse_range(request.headers.get("Range"), text.size()));
    Response response;
    const ByteRange part = range.value_or(ByteRange{0, text.size() - 1});
    response.status = range ? 206 : 200;
    response.body = FileSlice{files.at(std::string(request.capture("name"))), part.first, part.length()};
    return response;
  });
  test.start();
  for (const std::string file : {"kernel", "memory"}) {
    RawConnection connection(test.port());
    connection.send(get("/" + file));
    EXPECT_TRUE(connection.read_answer().ends_with("\r\n\r\n" + text)) << file;
    connection.send(get("/" + file, "Range: bytes=100-3000100\r\n"));
    const std::string part = connection.read_answer();
    EXPECT_TRUE(part.starts_with("HTTP/1.1 206")) << file;
    EXPECT_TRUE(part.ends_with("\r\n\r\n" + text.substr(100, 3'000'001))) << file;
    connection.send(get("/" + file, "Range: bytes=-10\r\n"));
    EXPECT_TRUE(connection.read_answer().ends_with("\r\n\r\n" + text.substr(text.size() - 10))) << file;
    connection.send(get("/" + file, "Range: bytes=9000000-\r\n"));
    EXPECT_TRUE(connection.read_answer().starts_with("HTTP/1.1 416")) << file;
  }
}

TEST(Server, StreamsASourceInChunksOrToTheEndForOldClients) {
  struct Source final : BodySource {
    int left = 3;
    Result<size_t> read(std::span<std::byte> into) override {
      if (left-- == 0) return size_t{0};
      std::fill_n(into.begin(), 1000, std::byte{'x'});
      return size_t{1000};
    }
  };
  TestServer test;
  test.get("/stream", [](const Request&, const Context&) -> Result<Response> {
    Response response;
    response.body = std::unique_ptr<BodySource>(std::make_unique<Source>());
    return response;
  });
  test.start();
  const std::string x(1000, 'x'), chunk = "3e8\r\n" + x + "\r\n";
  EXPECT_TRUE(test.ask(get("/stream")).ends_with("\r\n\r\n" + chunk + chunk + chunk + "0\r\n\r\n"));
  RawConnection old(test.port());
  old.send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.read_all().ends_with("\r\n\r\n" + x + x + x));
}

TEST(Server, PushesEventsAsTheyCome) {
  TestServer test;
  std::shared_ptr<PushedBody> body = make_pushed_body(1 << 20);
  test.get("/events", [&](const Request&, const Context&) -> Result<Response> {
    Response response;
    response.headers.set("Content-Type", "text/event-stream");
    response.body = body;
    return response;
  });
  test.start();
  RawConnection connection(test.port());
  connection.send(get("/events"));
  connection.read_until("\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(body->push(sse_event("tick", std::to_string(i))).ok());
    EXPECT_TRUE(has(connection.read_until("\n\n"), "event: tick\ndata: " + std::to_string(i)));
  }
  body->close();
  EXPECT_TRUE(connection.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return body->gone(); }));
}

}  // namespace
}  // namespace holdfast::net
