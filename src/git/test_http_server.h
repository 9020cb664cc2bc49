#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "codec/gzip.h"
#include "git/smart_http.h"

namespace holdfast::git {

// Just enough HTTP for git to talk to SmartHttp in tests: /NAME.git/…, one request a connection.
class TestHttpServer {
 public:
  using MakePusher = std::function<std::shared_ptr<Pusher>()>;
  TestHttpServer(SmartHttp& git, std::filesystem::path root, MakePusher make_pusher)
      : git_(git), root_(std::move(root)), make_pusher_(std::move(make_pusher)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 64);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~TestHttpServer() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& thread : answers_) thread.join();
    ::close(listener_);
  }
  std::string url(const std::string& name) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + name;
  }
  std::atomic<int> v2_requests{0};

 private:
  void accept_all() {
    while (!stop_) {
      pollfd ready{listener_, POLLIN, 0};
      if (::poll(&ready, 1, 50) <= 0) continue;
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer >= 0) answers_.emplace_back([this, peer] { answer(peer); });
    }
  }

  struct Connection {
    int raw;
    std::string buffer;
    bool more() {
      char piece[65536];
      const ssize_t got = ::recv(raw, piece, sizeof piece, 0);
      if (got > 0) buffer.append(piece, static_cast<size_t>(got));
      return got > 0;
    }
    std::string take(size_t count) {
      while (buffer.size() < count && more()) {
      }
      std::string taken = buffer.substr(0, count);
      buffer.erase(0, count);
      return taken;
    }
    std::string line() {
      while (buffer.find("\r\n") == buffer.npos && more()) {
      }
      const size_t end = buffer.find("\r\n");
      if (end == buffer.npos) return {};
      std::string taken = buffer.substr(0, end);
      buffer.erase(0, end + 2);
      return taken;
    }
    void send(const std::string& text) const {
      size_t at = 0;
      while (at < text.size()) {
        const ssize_t sent = ::send(raw, text.data() + at, text.size() - at, MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += static_cast<size_t>(sent);
      }
    }
  };

  void answer(int peer) {
    Connection connection{peer, {}};
    const std::string first = connection.line();
    std::map<std::string, std::string> headers;
    for (std::string line = connection.line(); !line.empty(); line = connection.line()) {
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      headers[name] = line.substr(line.find(':') + 2);
    }
    if (headers["git-protocol"] == "version=2") ++v2_requests;
    if (headers.contains("expect")) connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    std::string body;
    if (headers["transfer-encoding"] == "chunked") {
      for (size_t size = 1; size > 0;) {
        size = std::stoul("0" + connection.line(), nullptr, 16);
        body += connection.take(size);
        connection.line();
      }
    } else if (headers.contains("content-length")) {
      body = connection.take(std::stoul(headers["content-length"]));
    }
    if (headers["content-encoding"] == "gzip") body = inflate(body);
    route(connection, first, headers["git-protocol"], body);
    ::shutdown(peer, SHUT_RDWR);
    ::close(peer);
  }

  static std::string inflate(const std::string& body) {
    const auto bytes = codec::inflate(as_bytes(body), codec::Deflate::gzip, 1 << 30);
    return bytes.ok() ? std::string(as_text(bytes.value())) : "";
  }

  void route(Connection& connection, const std::string& first, const std::string& protocol,
             const std::string& body) {
    const size_t start = first.find('/') + 1;
    const std::string target = first.substr(start, first.find(' ', start) - start);
    GitRequest request{.repository = root_ / target.substr(0, target.find('/')), .protocol = protocol};
    if (const size_t query = target.find("?service="); query != target.npos) {
      request.service = *service_of_name(target.substr(query + 9));
      const auto text = git_.advertise(request);
      if (!text.ok()) return refuse(connection, text.error());
      return connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " +
                             advertisement_type(request.service) + "\r\n\r\n" + text.value());
    }
    request.service = *service_of_name(target.substr(target.rfind('/') + 1));
    auto exchange = request.service == Service::upload_pack ? git_.upload_pack(request)
                                                            : git_.receive_pack(request, make_pusher_());
    if (!exchange.ok()) return refuse(connection, exchange.error());
    for (size_t at = 0; at < body.size(); at += 70'000)
      if (auto written = exchange.value()->write(as_bytes(std::string_view(body).substr(at, 70'000)));
          !written.ok())
        return refuse(connection, written.error());
    auto source = exchange.value()->finish();
    if (!source.ok()) return refuse(connection, source.error());
    connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + result_type(request.service) +
                    "\r\n\r\n");
    std::vector<std::byte> piece(100'000);
    while (true) {
      const auto got = source.value()->read(piece);
      if (!got.ok() || got.value() == 0) return;
      connection.send(std::string(as_text(ByteView(piece).first(got.value()))));
    }
  }

  void refuse(Connection& connection, const Error& error) {
    connection.send("HTTP/1.1 500 Failed\r\nConnection: close\r\nContent-Length: " +
                    std::to_string(error.message.size()) + "\r\n\r\n" + error.message);
  }

  SmartHttp& git_;
  std::filesystem::path root_;
  MakePusher make_pusher_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> answers_;
  std::thread acceptor_;
};

}  // namespace holdfast::git
