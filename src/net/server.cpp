#include "net/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ssl/context.hpp>

#include "net/connection.h"
#include "net/server_core.h"
#include "net/stream.h"

namespace holdfast::net {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr milliseconds sweep_period{100}, accept_pause{100};
constexpr int ports_tried = 51, turned_away_max = 64;

// Owns the loops; the acceptor lives on the first of them and deals connections out in turn.
class LoopServer final : public Server {
 public:
  LoopServer(std::unique_ptr<ServerCore> core, std::shared_ptr<asio::ssl::context> tls)
      : core_(std::move(core)), tls_(std::move(tls)) {
    for (int i = 0; i < core_->options.net_threads; ++i) loops_.push_back(std::make_unique<Loop>());
    acceptor_ = std::make_unique<tcp::acceptor>(loops_[0]->context);
  }
  ~LoopServer() override { end(milliseconds(0)); }

  Status listen();
  void start();
  uint16_t port() const override { return port_; }
  void stop() override { end(core_->options.limits.stop_timeout); }

 private:
  void end(milliseconds grace);
  bool quiet_within(milliseconds time);
  void on_all(void (Connection::*act)());
  void accept_next();
  void admit(tcp::socket socket, Loop& loop);
  asio::awaitable<void> turn_away(tcp::socket socket);
  void log_thrown(const std::exception_ptr& thrown, const std::string& peer);
  asio::awaitable<void> sweep(Loop& loop);

  std::unique_ptr<ServerCore> core_;
  std::shared_ptr<asio::ssl::context> tls_;  // Shared with no one: open_tls hands it out so. Null: plain.
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> accept_again_;
  size_t next_loop_ = 0;
  std::atomic<int> turned_away_{0};
  uint16_t port_ = 0;
  std::mutex quiet_mutex_;  // Guards nothing but the wait for core_->connections to fall to zero.
  std::condition_variable quiet_;
  bool ended_ = false;
};

Status LoopServer::listen() {
  const ServerOptions& options = core_->options;
  IoError error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return fail(Reason::bad_request, "'" + options.address + "' is not an address to listen on");
  const int tries = options.next_free_port && options.port != 0 ? ports_tried : 1;
  for (int i = 0; i < tries && options.port + i <= 65535; ++i) {
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(options.port + i));
    acceptor_->close(error);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_->local_endpoint(error).port();
    if (!error) return Done{};
    if (error != asio::error::address_in_use) break;
  }
  return fail(Code::unavailable, "cannot listen on " + options.address + " port " +
                                     std::to_string(options.port) + ": " + error.message());
}

void LoopServer::start() {
  accept_again_ = std::make_unique<asio::steady_timer>(loops_[0]->context);
  accept_next();
  for (auto& loop : loops_) {
    guards_.push_back(asio::make_work_guard(loop->context));
    asio::co_spawn(loop->context, sweep(*loop), asio::detached);
    loop->thread = std::thread([&context = loop->context] { context.run(); });
  }
}

void LoopServer::accept_next() {
  Loop& loop = *loops_[next_loop_++ % loops_.size()];
  acceptor_->async_accept(loop.context, [this, &loop](IoError error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || core_->stopping) return;
    if (!error) {
      admit(std::move(socket), loop);
      return accept_next();
    }
    // Out of descriptors, most likely: trying again at once would only burn the processor.
    core_->log.warn("accept_failed", {{"error", error.message()}});
    accept_again_->expires_after(accept_pause);
    accept_again_->async_wait([this](IoError cancelled) {
      if (!cancelled) accept_next();
    });
  });
}

void LoopServer::admit(tcp::socket socket, Loop& loop) {
  if (core_->connections.fetch_add(1) >= core_->options.limits.connections_max) {
    core_->connections.fetch_sub(1);
    core_->probe.refused("connections_max");
    if (!tls_ && turned_away_.fetch_add(1) < turned_away_max)
      asio::co_spawn(loop.context, turn_away(std::move(socket)), asio::detached);
    else if (!tls_)
      turned_away_.fetch_sub(1);
    return;
  }
  IoError ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);  // For sendfile.
  const std::string peer = socket.remote_endpoint(ignored).address().to_string();
  // The connection's set of its loop is that thread's own.
  asio::post(loop.context, [this, &loop, peer, socket = std::move(socket)]() mutable {
    auto connection = std::make_shared<Connection>(*core_, loop, Stream(std::move(socket), tls_.get()), peer);
    // Shared by the coroutine's two ends: it runs until `ended`, which then destroys it.
    auto ended = [this, connection, peer](const std::exception_ptr& thrown) mutable {
      if (thrown) log_thrown(thrown, peer);
      connection.reset();
      if (core_->connections == 0) {
        std::lock_guard lock(quiet_mutex_);
        quiet_.notify_all();
      }
    };
    asio::co_spawn(loop.context, connection->run(), std::move(ended));
  });
}

// No connection may be added, but its client is told why. What it sends is read for a moment: closing over
// unread bytes would reset the answer away.
asio::awaitable<void> LoopServer::turn_away(tcp::socket socket) {
  const std::string answer =
      "HTTP/1.1 503 Service Unavailable\r\nServer: holdfast\r\nX-Request-Id: " + core_->random.hex(16) +
      "\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  IoError error;
  socket.non_blocking(true, error);
  socket.write_some(asio::buffer(answer), error);
  socket.shutdown(asio::socket_base::shutdown_send, error);
  asio::steady_timer timer(socket.get_executor());
  std::array<char, 4096> dropped;
  for (int i = 0; i < 10 && !error; ++i) {
    IoError cancelled;
    timer.expires_after(sweep_period);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    for (int reads = 0; reads < 16 && !error; ++reads) socket.read_some(asio::buffer(dropped), error);
    if (error == asio::error::would_block) error = {};
  }
  turned_away_.fetch_sub(1);
}

// The second door: whatever is thrown on a net thread ends its connection only.
void LoopServer::log_thrown(const std::exception_ptr& thrown, const std::string& peer) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& unexpected) {
    core_->log.error("connection_exception", {{"what", unexpected.what()}, {"peer", peer}});
  } catch (...) {
    core_->log.error("connection_exception", {{"what", "not a std::exception"}, {"peer", peer}});
  }
}

asio::awaitable<void> LoopServer::sweep(Loop& loop) {
  asio::steady_timer timer(loop.context);
  while (true) {
    timer.expires_after(sweep_period);
    IoError error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    const milliseconds now = core_->clock.now();
    for (Connection* connection : loop.connections) connection->sweep(now);
  }
}

void LoopServer::on_all(void (Connection::*act)()) {
  for (auto& loop : loops_)
    asio::post(loop->context, [loop = loop.get(), act] {
      for (Connection* connection : loop->connections) (connection->*act)();
    });
}

bool LoopServer::quiet_within(milliseconds time) {
  std::unique_lock lock(quiet_mutex_);
  return quiet_.wait_for(lock, time, [this] { return core_->connections == 0; });
}

void LoopServer::end(milliseconds grace) {
  if (ended_) return;
  ended_ = true;
  core_->stopping = true;
  asio::post(loops_[0]->context, [this] {
    IoError ignored;
    acceptor_->close(ignored);
    accept_again_->cancel();
  });
  on_all(&Connection::stop_when_idle);
  if (!quiet_within(grace)) {
    core_->log.warn("connections_cut", {{"count", core_->connections.load()}});
    // Handlers are told by their stop token; we wait for those that do not listen.
    do on_all(&Connection::cut);
    while (!quiet_within(milliseconds(100)));
  }
  core_->pool.join();
  for (auto& loop : loops_) loop->context.stop();
  for (auto& loop : loops_)
    if (loop->thread.joinable()) loop->thread.join();
  // A loop with nothing to wait for may have ended before it came to the close above.
  IoError ignored;
  acceptor_->close(ignored);
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(ServerOptions options, const Router& router, ErrorWriter errors,
                                             const Clock& clock, Random& random, Log& log, Metrics& metrics) {
  options.net_threads = std::max(options.net_threads, 1);
  options.disk_threads = std::max(options.disk_threads, 1);
  std::shared_ptr<asio::ssl::context> tls;
  if (!options.certificate_file.empty() || !options.key_file.empty()) {
    TRY(tls, open_tls(options.certificate_file, options.key_file));
  }
  auto core = std::make_unique<ServerCore>(std::move(options), router, std::move(errors), clock, random, log,
                                           metrics);
  auto server = std::make_unique<LoopServer>(std::move(core), std::move(tls));
  TRY_DONE(server->listen());
  server->start();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace holdfast::net
