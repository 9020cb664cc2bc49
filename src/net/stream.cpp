#include "net/stream.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdfast::net {
namespace {

constexpr auto& token = asio::use_awaitable;

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned int in_length, void*) {
  static constexpr unsigned char offered[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  const int chosen = SSL_select_next_proto(const_cast<unsigned char**>(out), out_length, offered,
                                           sizeof offered, in, in_length);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

struct Stream::Tls {
  asio::ssl::stream<asio::ip::tcp::socket> stream;
};

Result<std::shared_ptr<asio::ssl::context>> open_tls(const std::string& certificate_file,
                                                     const std::string& key_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  IoError error;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                       error);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_protocol, nullptr);
  // Idle connections keep no record buffers.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  context->use_certificate_chain_file(certificate_file, error);
  if (error) return fail(Code::invalid, "the certificate file cannot be used: " + error.message());
  context->use_private_key_file(key_file, asio::ssl::context::pem, error);
  if (error) return fail(Code::invalid, "the key file cannot be used: " + error.message());
  return context;
}

Stream::Stream(asio::ip::tcp::socket socket, asio::ssl::context* tls) : plain_(std::move(socket)) {
  if (tls != nullptr)
    tls_ = std::make_unique<Tls>(Tls{asio::ssl::stream<asio::ip::tcp::socket>(std::move(plain_), *tls)});
}
Stream::Stream(Stream&&) noexcept = default;
Stream::~Stream() = default;

asio::ip::tcp::socket& Stream::socket() { return tls_ ? tls_->stream.next_layer() : plain_; }

asio::awaitable<IoError> Stream::handshake() {
  IoError error;
  if (tls_)
    co_await tls_->stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(token, error));
  co_return error;
}

asio::awaitable<Stream::Moved> Stream::read_some(asio::mutable_buffer into) {
  Moved moved;
  auto done = asio::redirect_error(token, moved.error);
  if (tls_)
    moved.count = co_await tls_->stream.async_read_some(into, done);
  else
    moved.count = co_await plain_.async_read_some(into, done);
  co_return moved;
}

asio::awaitable<Stream::Moved> Stream::write_some(std::array<asio::const_buffer, 2> from) {
  Moved moved;
  auto done = asio::redirect_error(token, moved.error);
  if (tls_)  // One record at a time: the second buffer's turn comes with the next call.
    moved.count = co_await tls_->stream.async_write_some(from[0].size() > 0 ? from[0] : from[1], done);
  else
    moved.count = co_await plain_.async_write_some(from, done);
  co_return moved;
}

asio::awaitable<IoError> Stream::wait_writable() {
  IoError error;
  co_await socket().async_wait(asio::socket_base::wait_write, asio::redirect_error(token, error));
  co_return error;
}

asio::awaitable<IoError> Stream::end_tls() {
  IoError error;
  if (tls_) co_await tls_->stream.async_shutdown(asio::redirect_error(token, error));
  co_return error;
}

void Stream::cancel() {
  IoError ignored;
  socket().cancel(ignored);
}

void Stream::cut() {
  IoError ignored;
  socket().shutdown(asio::socket_base::shutdown_both, ignored);
  socket().cancel(ignored);
}

void Stream::shutdown_send() {
  IoError ignored;
  socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace holdfast::net
