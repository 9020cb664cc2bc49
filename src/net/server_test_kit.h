#pragma once

// What the server's tests share: a server with everything it borrows, and a raw connection to it.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "io/disk.h"
#include "net/server.h"

namespace holdfast::net {

// A blocking socket; every wait ends after ten seconds.
class RawConnection {
 public:
  explicit RawConnection(uint16_t port, int receive_buffer_bytes = 0);
  ~RawConnection() { close(); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool send(std::string_view bytes);
  // What came until `ending` is in it, the connection ended or time was up.
  std::string read_until(std::string_view ending);
  std::string read_all() { return read_until({}); }
  // One answer with Content-Length or chunks, body included; keeps what follows.
  std::string read_answer();
  bool ended();  // The server closed, within ten seconds.
  void close();

 private:
  bool fill();
  int descriptor_;
  std::string in_;
};

// A file of the test's own making; counts how many of them live.
class TextFile final : public io::ReadFile {
 public:
  explicit TextFile(std::string text) : text_(std::move(text)) {}
  Result<uint64_t> size() const override { return text_.size(); }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override;
  int descriptor() const override { return -1; }

 private:
  std::string text_;
};

struct TestServer {
  SystemClock clock;
  SystemRandom random;
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  Router router;
  ServerOptions options{.port = 0};
  std::unique_ptr<Server> server;

  void get(std::string pattern, Handler handler) { route("GET", std::move(pattern), 0, std::move(handler)); }
  void route(std::string method, std::string pattern, uint64_t body_bytes_max,
             std::variant<Handler, SinkMaker> handle);
  void start();
  uint16_t port() const { return server->port(); }
  // One request on a connection of its own.
  std::string ask(std::string_view request) const;
  bool logged(std::string_view part) const;
};

Response text_response(std::string text, int status = 200);
// Whether it comes true within ten seconds.
bool eventually(const std::function<bool()>& condition);

}  // namespace holdfast::net
