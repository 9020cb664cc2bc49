#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "net/late_answer.h"
#include "net/request_reader.h"
#include "net/response_head.h"
#include "net/server_core.h"
#include "net/stream.h"

namespace holdfast::net {

// One client's connection: reads requests one after the other and answers them. All of it runs on the net
// thread of its loop, save what it sends to the pool; it is owned by its own coroutine.
class Connection {
 public:
  Connection(ServerCore& core, Loop& loop, Stream stream, std::string peer);
  ~Connection();
  asio::awaitable<void> run();

  // From the loop's timer, some times a second: deadlines, and clients that left while we compute.
  void sweep(std::chrono::milliseconds now);
  void stop_when_idle();  // Between requests: at once. Else after the running answer.
  void cut();             // Now, whatever runs.

 private:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds never = Milliseconds::max();

  // One request and its answer.
  struct Exchange {
    RequestHead head;
    Context context;
    std::stop_source stop;
    LatePlace late;
    const Route* route = nullptr;
    Milliseconds started{};
    int status = 0;
    uint64_t bytes_in = 0, bytes_out = 0;
    bool head_only = false;
    bool keep_alive = true;
    bool dead = false;  // No answer can be given any more.
    // What is left of the body on the wire.
    uint64_t body_left = 0;
    std::unique_ptr<ChunkedReader> chunks;
    bool body_ended = true, continue_due = false;
  };

  // connection.cpp: life, deadlines, raw moves.
  asio::awaitable<Result<std::optional<RequestHead>>> read_head();
  asio::awaitable<Result<std::string_view>> buffer_head();
  asio::awaitable<void> serve(Exchange& exchange);
  asio::awaitable<void> finish(bool linger);
  void begin(Exchange& exchange, std::optional<RequestHead> head);
  void record(const Exchange& exchange);
  asio::awaitable<Result<size_t>> receive(asio::mutable_buffer into, Milliseconds deadline);  // 0: the end.
  asio::awaitable<bool> send(std::string_view first, std::string_view second = {});
  bool progresses(Milliseconds waited, size_t moved);
  Error too_slow(std::string message);
  const std::string& date();

  // connection_request.cpp: route, body in, handler.
  asio::awaitable<Response> respond(Exchange& exchange);
  asio::awaitable<Response> respond_buffered(Exchange& exchange, const Handler& handler);
  asio::awaitable<Response> respond_from_sink(Exchange& exchange, const SinkMaker& make);
  asio::awaitable<Status> fill_sink(Exchange& exchange, BodySink& sink);
  asio::awaitable<Status> read_body(Exchange& exchange, uint64_t bytes_max);
  asio::awaitable<Result<size_t>> read_piece(Exchange& exchange, std::span<std::byte> into);
  asio::awaitable<Result<size_t>> read_chunked(Exchange& exchange, std::span<std::byte> into);
  asio::awaitable<Response> refuse(Exchange& exchange, Error error);
  Response write_error(Exchange& exchange, const Error& error);

  // connection_answer.cpp: head and body out.
  asio::awaitable<void> deliver(Exchange& exchange, Response response);
  asio::awaitable<bool> deliver_slice(Exchange& exchange, FileSlice& slice, std::string head);
  asio::awaitable<bool> deliver_source(Exchange& exchange, BodySource& source, std::optional<uint64_t> length,
                                       Framing framing);
  asio::awaitable<bool> deliver_pushed(std::shared_ptr<PushedBody> body, Framing framing);

  ServerCore& core_;
  Loop& loop_;
  Stream stream_;
  const std::string peer_;
  std::string in_;  // Read and not yet used.
  Milliseconds deadline_ = never;
  Milliseconds window_waited_{};  // For the client, inside bodies, since the last check of progress.
  uint64_t window_moved_ = 0;
  uint64_t sent_ = 0;  // In all.
  Exchange* running_ = nullptr;
  asio::steady_timer* waiting_for_push_ = nullptr;
  bool idle_ = false, timed_out_ = false, cut_ = false;
  bool watch_gone_ = false, gone_ = false;
  bool slow_client_ = false;  // The error at hand is a wait for the client that took too long: 408, not 504.
};

}  // namespace holdfast::net
