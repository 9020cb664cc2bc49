#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "net/server_test_kit.h"

namespace holdfast::net {

RawConnection::RawConnection(uint16_t port, int receive_buffer_bytes)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0)
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(0, ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address))
      << strerror(errno);
}

void RawConnection::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

bool RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool RawConnection::fill() {
  char piece[64 << 10];
  const ssize_t count = ::recv(descriptor_, piece, sizeof piece, 0);
  if (count <= 0) return false;
  in_.append(piece, static_cast<size_t>(count));
  return true;
}

std::string RawConnection::read_until(std::string_view ending) {
  size_t end;
  while ((end = ending.empty() ? std::string::npos : in_.find(ending)) == std::string::npos)
    if (!fill()) return std::exchange(in_, {});
  std::string out = in_.substr(0, end + ending.size());
  in_.erase(0, out.size());
  return out;
}

std::string RawConnection::read_answer() {
  std::string head = read_until("\r\n\r\n");
  if (head.find("Transfer-Encoding: chunked") != std::string::npos) return head + read_until("0\r\n\r\n");
  const size_t at = head.find("Content-Length: ");
  const size_t length = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  while (in_.size() < length)
    if (!fill()) break;
  head += in_.substr(0, length);
  in_.erase(0, length);
  return head;
}

bool RawConnection::ended() {
  while (true) {
    char byte;
    const ssize_t count = ::recv(descriptor_, &byte, 1, 0);
    if (count == 0 || (count < 0 && errno == ECONNRESET)) return true;
    if (count < 0) return false;
  }
}

Result<size_t> TextFile::read_at(uint64_t offset, std::span<std::byte> into) const {
  const size_t from = std::min<uint64_t>(offset, text_.size());
  const size_t count = std::min(into.size(), text_.size() - from);
  std::memcpy(into.data(), text_.data() + from, count);
  return count;
}

void TestServer::route(std::string method, std::string pattern, uint64_t body_bytes_max,
                       std::variant<Handler, SinkMaker> handle) {
  Route added{.method = std::move(method),
              .pattern = pattern,
              .name = "test_" + std::to_string(router.routes().size()),
              .body_bytes_max = body_bytes_max,
              .handle = std::move(handle)};
  ASSERT_TRUE(router.add(std::move(added)).ok()) << pattern;
}

void TestServer::start() {
  auto errors = [](const Request&, const Error& error, const Context&) {
    const ReasonRow& row = reason_row(error.code, error.reason);
    return text_response("error: " + error.message, row.http_status);
  };
  auto started = start_server(options, router, errors, clock, random, log, *metrics);
  ASSERT_TRUE(started.ok()) << started.error().message;
  server = std::move(started).value();
}

std::string TestServer::ask(std::string_view request) const {
  RawConnection connection(port());
  connection.send(request);
  return connection.read_answer();
}

bool TestServer::logged(std::string_view part) const {
  return std::ranges::any_of(sink.lines(),
                             [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

Response text_response(std::string text, int status) {
  Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain");
  response.body = std::move(text);
  return response;
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace holdfast::net
