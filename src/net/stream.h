#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace holdfast::net {

namespace asio = boost::asio;
using IoError = boost::system::error_code;

// What a TLS server needs; shared by its connections.
Result<std::shared_ptr<asio::ssl::context>> open_tls(const std::string& certificate_file,
                                                     const std::string& key_file);

// One accepted connection, plain or TLS. Belongs to one net thread.
class Stream {
 public:
  struct Moved {
    IoError error;
    size_t count = 0;
  };
  Stream(asio::ip::tcp::socket socket, asio::ssl::context* tls);  // Null: plain.
  Stream(Stream&&) noexcept;
  ~Stream();

  bool secure() const { return tls_ != nullptr; }
  int descriptor() { return socket().native_handle(); }
  asio::ip::tcp::socket& socket();

  asio::awaitable<IoError> handshake();
  asio::awaitable<Moved> read_some(asio::mutable_buffer into);
  asio::awaitable<Moved> write_some(std::array<asio::const_buffer, 2> from);
  asio::awaitable<IoError> wait_writable();  // Plain only: before sendfile.
  asio::awaitable<IoError> end_tls();        // Says goodbye; nothing when plain.

  void cancel();         // What waits returns with an error; the connection stays usable.
  void cut();            // Ends both directions at once.
  void shutdown_send();  // The client reads to the end; we can still read.

 private:
  struct Tls;
  std::unique_ptr<Tls> tls_;
  asio::ip::tcp::socket plain_;
};

}  // namespace holdfast::net
