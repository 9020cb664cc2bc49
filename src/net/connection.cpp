#include "net/connection.h"

#include "net/forwarded.h"

#include <poll.h>

#include <array>

namespace holdfast::net {
namespace {

constexpr size_t read_step = 8 << 10, idle_buffer_max = 16 << 10;
constexpr std::chrono::milliseconds linger_idle{5'000}, linger_timeout{30'000};

bool peer_left(int descriptor) {
  pollfd asked{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool may_start_a_method(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

Connection::Connection(ServerCore& core, Loop& loop, Stream stream, std::string peer)
    : core_(core), loop_(loop), stream_(std::move(stream)), peer_(std::move(peer)) {
  loop_.connections.insert(this);
  core_.probe.connection_opened();
}

Connection::~Connection() {
  loop_.connections.erase(this);
  core_.probe.connection_closed();
  core_.connections.fetch_sub(1);
}

asio::awaitable<void> Connection::run() {
  if (stream_.secure()) {
    deadline_ = core_.clock.now() + core_.options.limits.head_timeout;
    const IoError error = co_await stream_.handshake();
    deadline_ = never;
    if (error || timed_out_) co_return;
  }
  bool linger = false;
  for (bool more = true; more && !cut_;) {
    Result<std::optional<RequestHead>> head = co_await read_head();
    if (head.ok() && !head.value()) break;
    Exchange exchange;
    running_ = &exchange;
    if (head.ok()) {
      begin(exchange, std::move(head).value());
      co_await serve(exchange);
      more = exchange.keep_alive && !exchange.dead;
    } else {
      const bool slow = slow_client_;
      begin(exchange, std::nullopt);
      slow_client_ = slow;
      Response refusal = write_error(exchange, head.error());
      co_await deliver(exchange, std::move(refusal));
      exchange.body_ended = more = false;
    }
    linger = !exchange.dead && !exchange.body_ended;
    record(exchange);
    running_ = nullptr;
  }
  co_await finish(linger);
}

void Connection::sweep(Milliseconds now) {
  if (now >= deadline_) {
    timed_out_ = true;
    stream_.cancel();
  }
  if (watch_gone_ && !gone_ && peer_left(stream_.descriptor())) {
    gone_ = true;
    if (running_ != nullptr) running_->stop.request_stop();
    if (waiting_for_push_ != nullptr) waiting_for_push_->cancel();
  }
  if (running_ != nullptr) running_->late.look();
  if (cut_) cut();  // Again: the coroutine may have been between two waits.
}

void Connection::stop_when_idle() {
  if (idle_) cut();
}

void Connection::cut() {
  cut_ = true;
  if (running_ != nullptr) running_->stop.request_stop();
  if (waiting_for_push_ != nullptr) waiting_for_push_->cancel();
  stream_.cut();
}

void Connection::begin(Exchange& exchange, std::optional<RequestHead> head) {
  exchange.started = core_.clock.now();
  window_waited_ = {};
  window_moved_ = 0;
  sent_ = 0;
  gone_ = slow_client_ = false;
  if (head) {
    exchange.head = std::move(*head);
    exchange.keep_alive = exchange.head.keep_alive;
    exchange.head_only = exchange.head.request.method == "HEAD";
    exchange.body_left = exchange.head.request.content_length.value_or(0);
    if (exchange.head.chunked) exchange.chunks = make_chunked_reader();
    exchange.body_ended = exchange.body_left == 0 && !exchange.chunks;
    exchange.continue_due = exchange.head.expects_continue;
  } else {
    exchange.keep_alive = false;
  }
  Request& request = exchange.head.request;
  Asker asker = forwarded(request.headers, {peer_, stream_.secure()}, core_.options.trusted_proxies);
  request.peer = std::move(asker.address);
  request.secure = asker.secure;
  const std::string_view offered = offered_request_id(request.headers);
  exchange.context.trace_id = offered.empty() ? core_.random.hex(16) : std::string(offered);
  exchange.context.stop = exchange.stop.get_token();
}

asio::awaitable<void> Connection::serve(Exchange& exchange) {
  Response response = co_await respond(exchange);
  if (exchange.dead) {
    exchange.status = 499;  // As nginx logs a client that left before its answer.
    co_return;
  }
  co_await deliver(exchange, std::move(response));
}

void Connection::record(const Exchange& exchange) {
  const Request& request = exchange.head.request;
  const Milliseconds duration = core_.clock.now() - exchange.started;
  core_.probe.request_finished({.route = exchange.route,
                                .method = request.method,
                                .status = exchange.status,
                                .bytes_in = exchange.bytes_in,
                                .bytes_out = sent_,
                                .duration = duration});
  if (!core_.log.wants(LogLevel::info)) return;
  const std::string_view route = exchange.route != nullptr ? std::string_view(exchange.route->name) : "none";
  core_.log.info("http_request", {{"trace_id", exchange.context.trace_id},
                                  {"route", route},
                                  {"method", request.method},
                                  {"status", exchange.status},
                                  {"bytes_in", exchange.bytes_in},
                                  {"bytes_out", sent_},
                                  {"duration_ms", duration.count()},
                                  {"cut", exchange.dead},
                                  {"peer", request.peer}});
}

// Until `in_` holds a whole head; the view into it. An empty view: the client left between requests.
asio::awaitable<Result<std::string_view>> Connection::buffer_head() {
  const ServerLimits& limits = core_.options.limits;
  Milliseconds head_deadline = never;
  for (size_t searched = 0;;) {
    while (in_.starts_with("\r\n")) in_.erase(0, 2);  // RFC 9112, 2.2: allowed before a request line.
    if (!in_.empty()) {
      if (!may_start_a_method(in_[0])) co_return fail(Reason::bad_request, "this is not HTTP");
      const size_t end = in_.find("\r\n\r\n", searched);
      if (end != std::string::npos && end + 4 <= limits.head_bytes_max)
        co_return std::string_view(in_).substr(0, end + 4);
      if (in_.size() >= limits.head_bytes_max)
        co_return fail(Reason::header_too_large, "the request's head is too large");
      searched = in_.size() < 3 ? 0 : in_.size() - 3;
      if (head_deadline == never) head_deadline = core_.clock.now() + limits.head_timeout;
    }
    idle_ = in_.empty();
    if (idle_ && core_.stopping) co_return std::string_view();
    const Milliseconds deadline = idle_ ? core_.clock.now() + limits.idle_timeout : head_deadline;
    const size_t old_size = in_.size();
    in_.resize(old_size + read_step);
    Result<size_t> count = co_await receive(asio::buffer(in_.data() + old_size, read_step), deadline);
    in_.resize(old_size + (count.ok() ? count.value() : 0));
    const bool was_idle = std::exchange(idle_, false);
    if (was_idle && (!count.ok() || count.value() == 0)) co_return std::string_view();
    if (!count.ok() && count.error().reason == Reason::timed_out)
      co_return too_slow("the request's head took too long");
    if (!count.ok() || count.value() == 0) co_return std::string_view();
  }
}

// Nothing: the connection ends without an answer.
asio::awaitable<Result<std::optional<RequestHead>>> Connection::read_head() {
  if (in_.empty() && in_.capacity() > idle_buffer_max) in_ = std::string();
  CO_TRY(const std::string_view head, co_await buffer_head());
  if (head.empty()) co_return std::optional<RequestHead>();
  Result<RequestHead> parsed = parse_request_head(head, core_.options.limits.header_fields_max);
  in_.erase(0, head.size());
  if (!parsed.ok()) co_return std::move(parsed).error();
  co_return std::optional<RequestHead>(std::move(parsed).value());
}

asio::awaitable<Result<size_t>> Connection::receive(asio::mutable_buffer into, Milliseconds deadline) {
  if (cut_) co_return fail(Reason::client_gone, "the connection ended");
  timed_out_ = false;
  deadline_ = deadline;
  const Stream::Moved moved = co_await stream_.read_some(into);
  deadline_ = never;
  if (!moved.error) co_return moved.count;
  if (cut_) co_return fail(Reason::client_gone, "the connection ended");
  if (timed_out_) co_return too_slow("the client sent nothing for too long");
  if (moved.error == asio::error::eof) co_return size_t{0};
  co_return fail(Reason::client_gone, "the client has gone");
}

asio::awaitable<bool> Connection::send(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    if (cut_) co_return false;
    const Milliseconds started = core_.clock.now();
    timed_out_ = false;
    deadline_ = started + core_.options.limits.idle_timeout;
    std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(second)};
    const Stream::Moved moved = co_await stream_.write_some(buffers);
    deadline_ = never;
    if (moved.error) co_return false;
    sent_ += moved.count;
    const size_t of_first = std::min(moved.count, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(moved.count - of_first);
    if (!progresses(core_.clock.now() - started, moved.count)) co_return false;
  }
  co_return true;
}

Error Connection::too_slow(std::string message) {
  slow_client_ = true;
  return fail(Reason::timed_out, std::move(message));
}

// Idle time-outs alone let a client hold a connection with one byte a minute.
bool Connection::progresses(Milliseconds waited, size_t moved) {
  window_waited_ += waited;
  window_moved_ += moved;
  if (window_waited_ < core_.options.limits.progress_window) return true;
  const bool enough = window_moved_ >= core_.options.limits.progress_bytes_min;
  window_waited_ = {};
  window_moved_ = 0;
  return enough;
}

// With `linger` the client may still be sending: closing now would reset the connection under the answer it
// has not read yet.
asio::awaitable<void> Connection::finish(bool linger) {
  const Milliseconds until = core_.clock.now() + linger_timeout;
  if (!cut_ && stream_.secure()) {
    deadline_ = core_.clock.now() + std::chrono::milliseconds(1'000);
    co_await stream_.end_tls();
    deadline_ = never;
  }
  if (cut_ || !linger) co_return;
  stream_.shutdown_send();
  std::string dropped(64 << 10, '\0');
  while (!cut_ && !core_.stopping) {
    const Milliseconds now = core_.clock.now();
    if (now >= until) break;
    timed_out_ = false;
    deadline_ = std::min(until, now + linger_idle);
    asio::mutable_buffer into = asio::buffer(dropped);
    IoError error;
    co_await stream_.socket().async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
    deadline_ = never;
    if (error) break;
  }
}

const std::string& Connection::date() {
  const auto second = std::chrono::floor<std::chrono::seconds>(core_.clock.wall().time_since_epoch());
  if (second != loop_.date_at) {
    loop_.date_at = second;
    loop_.date = http_date(second.count());
  }
  return loop_.date;
}

}  // namespace holdfast::net
