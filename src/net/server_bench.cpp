// usage: server_bench FILE [PORT]     serves GET /hello, GET /file (FILE by slices), PUT /sink until stdin
// ends.
// PIECE in the environment: the bytes of a piece. wrk, curl and nginx measure it: figures are in README.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "net/server.h"

namespace holdfast::net {
namespace {

class DescriptorFile final : public io::ReadFile {
 public:
  explicit DescriptorFile(const char* path) : file_(::open(path, O_RDONLY | O_CLOEXEC)) {}
  ~DescriptorFile() override { ::close(file_); }
  Result<uint64_t> size() const override {
    struct stat info{};
    if (::fstat(file_, &info) != 0) return fail(Code::internal, "stat");
    return static_cast<uint64_t>(info.st_size);
  }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    const ssize_t count = ::pread(file_, into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0) return fail(Code::internal, "read");
    return static_cast<size_t>(count);
  }
  int descriptor() const override { return file_; }

 private:
  int file_;
};

struct NullSink final : BodySink {
  Status write(ByteView bytes) override {
    count += bytes.size();
    return Done{};
  }
  Result<Response> finish() override {
    Response response;
    response.body = std::to_string(count);
    return response;
  }
  uint64_t count = 0;
};

struct NullLog final : LogSink {
  void line(std::string_view) override {}
};

int serve(const char* path, uint16_t port) {
  SystemClock clock;
  SystemRandom random;
  NullLog sink;
  Log log(sink, clock);
  const auto metrics = make_metrics();
  const auto file = std::make_shared<DescriptorFile>(path);
  Router router;
  auto hello = [](const Request&, const Context&) -> Result<Response> {
    Response response;
    response.body = "hello";
    return response;
  };
  auto slice = [&](const Request&, const Context&) -> Result<Response> {
    TRY(const uint64_t size, file->size());
    Response response;
    response.body = FileSlice{file, 0, size};
    return response;
  };
  auto upload = [](const Request&, const Context&) -> Result<std::unique_ptr<BodySink>> {
    return std::unique_ptr<BodySink>(std::make_unique<NullSink>());
  };
  Route routes[] = {{.method = "GET", .pattern = "/hello", .name = "hello", .handle = Handler(hello)},
                    {.method = "GET", .pattern = "/file", .name = "file", .handle = Handler(slice)},
                    {.method = "PUT", .pattern = "/sink", .name = "sink", .handle = SinkMaker(upload)}};
  for (Route& route : routes)
    if (!router.add(std::move(route)).ok()) return 1;
  auto errors = [](const Request&, const Error& error, const Context&) {
    Response response;
    response.status = reason_row(error.code, error.reason).http_status;
    return response;
  };
  ServerOptions options{.port = port};
  if (const char* piece = std::getenv("PIECE")) options.limits.piece_bytes = std::strtoul(piece, nullptr, 10);
  auto server = start_server(options, router, errors, clock, random, log, *metrics);
  if (!server.ok()) {
    fmt::print("{}\n", server.error().message);
    return 1;
  }
  fmt::print("listening on {}\n", server.value()->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace
}  // namespace holdfast::net

int main(int count, char** arguments) {
  if (count < 2) return 2;
  return holdfast::net::serve(arguments[1], static_cast<uint16_t>(count > 2 ? std::atoi(arguments[2]) : 0));
}
