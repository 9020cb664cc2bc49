#include <algorithm>
#include <cstring>

#include "codec/gzip.h"
#include "net/connection.h"

namespace holdfast::net {
namespace {

constexpr uint64_t dropped_body_max =
    64 << 10;  // So much of an unwanted body is read for the connection's sake.
constexpr size_t body_step_min = 16 << 10, body_step_max = 1 << 20;
constexpr size_t chunked_read_step = 64 << 10;

Error too_large(uint64_t bytes_max) {
  return fail(Reason::body_too_large, "the body is larger than " + std::to_string(bytes_max) + " bytes");
}

Status undo_encoding(Request& request, uint64_t bytes_max) {
  const std::string_view encoding = request.headers.get("Content-Encoding");
  if (encoding.empty() || encoding == "identity") return Done{};
  const bool zlib = encoding == "deflate";  // Triton's clients have both.
  if (!zlib && encoding != "gzip" && encoding != "x-gzip")
    return fail(Reason::unsupported_media, "the content encodings here are gzip and deflate");
  if (request.body.empty()) return Done{};
  TRY(const Bytes plain,
      codec::inflate(as_bytes(request.body), zlib ? codec::Deflate::zlib : codec::Deflate::gzip, bytes_max));
  request.body = as_text(plain);
  return Done{};
}

}  // namespace

Response Connection::write_error(Exchange& exchange, const Error& error) {
  if (error.code != Code::internal && error.code != Code::corrupt) {
    Response response = core_.errors(exchange.head.request, error, exchange.context);
    if (slow_client_ && error.reason == Reason::timed_out) response.status = 408;
    return response;
  }
  core_.log.failure("request_failed", error, {{"trace_id", exchange.context.trace_id}});
  // What broke inside is for the log: it may be an exception's text.
  Error told = error;
  if (error.code == Code::internal) told.message = "internal error";
  return core_.errors(exchange.head.request, told, exchange.context);
}

// Answers without the handler. A small rest of the body is read first, so that the connection lives on; with
// a larger one, or when the client waits for our 100 Continue, the answer ends the connection.
asio::awaitable<Response> Connection::refuse(Exchange& exchange, Error error) {
  if (error.reason == Reason::client_gone) exchange.dead = true;
  const bool broken = error.reason == Reason::timed_out || error.reason == Reason::client_gone;
  if (!exchange.body_ended && !broken && !exchange.continue_due && !exchange.chunks &&
      exchange.body_left <= dropped_body_max) {
    std::string dropped(exchange.body_left, '\0');
    Result<size_t> count = co_await read_piece(exchange, std::as_writable_bytes(std::span(dropped)));
    if (!count.ok()) exchange.keep_alive = false;
  }
  if (!exchange.body_ended) exchange.keep_alive = false;
  co_return write_error(exchange, error);
}

asio::awaitable<Response> Connection::respond(Exchange& exchange) {
  Request& request = exchange.head.request;
  Result<Router::Match> matched = core_.router.match(request.method, request.path());
  if (!matched.ok()) co_return co_await refuse(exchange, std::move(matched).error());
  Router::Match match = std::move(matched).value();
  if (match.route == nullptr) {
    Error error = match.path_known ? fail(Reason::method_not_allowed, "this path does not take this method")
                                   : fail(Code::not_found, "there is nothing at this path");
    Response refusal = co_await refuse(exchange, std::move(error));
    if (match.path_known) refusal.headers.set("Allow", match.allowed);
    co_return refusal;
  }
  exchange.route = match.route;
  request.captures = std::move(match.captures);
  const Route& route = *match.route;
  const bool sinks = std::holds_alternative<SinkMaker>(route.handle);
  const uint64_t bytes_max = route.body_bytes_max > 0 ? route.body_bytes_max
                             : sinks                  ? UINT64_MAX
                                                      : dropped_body_max;
  if (request.content_length.value_or(0) > bytes_max)
    co_return co_await refuse(exchange, too_large(bytes_max));
  if (!core_.pool.admits()) {
    core_.probe.refused("queue_full");
    Response refusal = co_await refuse(exchange, fail(Reason::queue_full, "the server is busy; try again"));
    refusal.headers.set("Retry-After", "1");
    co_return refusal;
  }
  if (sinks) co_return co_await respond_from_sink(exchange, std::get<SinkMaker>(route.handle));
  co_return co_await respond_buffered(exchange, std::get<Handler>(route.handle));
}

asio::awaitable<Response> Connection::respond_buffered(Exchange& exchange, const Handler& handler) {
  const Route& route = *exchange.route;
  const uint64_t bytes_max = route.body_bytes_max > 0 ? route.body_bytes_max : dropped_body_max;
  if (!exchange.body_ended) {
    Status read = co_await read_body(exchange, bytes_max);
    if (!read.ok()) co_return co_await refuse(exchange, std::move(read).error());
  }
  auto work = [&]() -> Result<Response> {
    Request& request = exchange.head.request;
    if (route.body_bytes_max == 0) request.body.clear();
    TRY_DONE(undo_encoding(request, bytes_max));
    return handler(request, exchange.context);
  };
  watch_gone_ = true;
  Result<Response> response = co_await on_pool_or_later(core_.pool, exchange.late, std::move(work));
  watch_gone_ = false;
  if (!response.ok()) co_return write_error(exchange, response.error());
  co_return std::move(response).value();
}

asio::awaitable<Response> Connection::respond_from_sink(Exchange& exchange, const SinkMaker& make) {
  using Sink = std::unique_ptr<BodySink>;
  auto open = [&]() -> Result<Sink> {
    TRY(Sink made, make(exchange.head.request, exchange.context));
    if (!made) return fail(Code::internal, "the route gave no sink");
    return made;
  };
  watch_gone_ = true;
  Result<Sink> opened = co_await on_pool(core_.pool, std::move(open));
  watch_gone_ = false;
  if (!opened.ok()) co_return co_await refuse(exchange, std::move(opened).error());
  Sink sink = std::move(opened).value();
  Status filled = Done{};
  if (!exchange.body_ended) filled = co_await fill_sink(exchange, *sink);
  auto end = [&]() -> Result<Response> {
    if (!filled.ok()) {
      sink.reset();
      return filled.error();
    }
    Result<Response> finished = sink->finish();
    sink.reset();
    return finished;
  };
  watch_gone_ = filled.ok();
  Result<Response> response = co_await on_pool(core_.pool, std::move(end));
  watch_gone_ = false;
  if (!response.ok()) co_return co_await refuse(exchange, std::move(response).error());
  co_return std::move(response).value();
}

// The pool writes one piece while the next one is read.
asio::awaitable<Status> Connection::fill_sink(Exchange& exchange, BodySink& sink) {
  const uint64_t bytes_max = exchange.route->body_bytes_max > 0 ? exchange.route->body_bytes_max : UINT64_MAX;
  const size_t piece_bytes = exchange.chunks
                                 ? core_.options.limits.piece_bytes
                                 : std::min<uint64_t>(core_.options.limits.piece_bytes, exchange.body_left);
  std::array<std::unique_ptr<std::byte[]>, 2> pieces;
  PoolJob<Status> writing(core_.pool, loop_.context);
  Status outcome = Done{};
  for (size_t turn = 0; outcome.ok() && !exchange.body_ended; turn ^= 1) {
    if (!pieces[turn]) pieces[turn] = std::make_unique_for_overwrite<std::byte[]>(piece_bytes);
    const std::span<std::byte> piece(pieces[turn].get(), piece_bytes);
    Result<size_t> count = co_await read_piece(exchange, piece);
    if (writing.started()) outcome = co_await writing.wait();
    if (!outcome.ok()) break;
    if (!count.ok()) {
      outcome = std::move(count).error();
    } else if (exchange.bytes_in > bytes_max) {
      outcome = too_large(bytes_max);
    } else if (count.value() > 0) {
      const ByteView full = piece.first(count.value());
      writing.start([&sink, full] { return sink.write(full); });
    }
  }
  if (writing.started()) {
    Status last = co_await writing.wait();
    if (outcome.ok()) outcome = std::move(last);
  }
  co_return outcome;
}

asio::awaitable<Status> Connection::read_body(Exchange& exchange, uint64_t bytes_max) {
  std::string& body = exchange.head.request.body;
  while (!exchange.body_ended) {
    // Grows as bytes come: an announced length alone costs us nothing.
    const size_t have = body.size();
    size_t step = std::clamp(have, body_step_min, body_step_max);
    if (!exchange.chunks) step = std::min<uint64_t>(step, exchange.body_left);
    body.resize(have + step);
    Result<size_t> count =
        co_await read_piece(exchange, std::as_writable_bytes(std::span(body)).subspan(have));
    body.resize(have + (count.ok() ? count.value() : 0));
    if (!count.ok()) co_return std::move(count).error();
    if (body.size() > bytes_max) co_return too_large(bytes_max);
  }
  co_return Done{};
}

// Fills `into` as far as the body goes; less only at its end.
asio::awaitable<Result<size_t>> Connection::read_piece(Exchange& exchange, std::span<std::byte> into) {
  if (exchange.continue_due && in_.empty()) {
    if (!co_await send("HTTP/1.1 100 Continue\r\n\r\n"))
      co_return fail(Reason::client_gone, "the client has gone");
  }
  exchange.continue_due = false;
  if (exchange.chunks) co_return co_await read_chunked(exchange, into);
  into = into.first(std::min<uint64_t>(into.size(), exchange.body_left));
  size_t filled = std::min(into.size(), in_.size());
  std::memcpy(into.data(), in_.data(), filled);
  in_.erase(0, filled);
  while (filled < into.size()) {
    const Milliseconds started = core_.clock.now();
    CO_TRY(const size_t count, co_await receive(asio::buffer(into.data() + filled, into.size() - filled),
                                                started + core_.options.limits.idle_timeout));
    if (count == 0) co_return fail(Reason::client_gone, "the client left inside the body");
    filled += count;
    if (!progresses(core_.clock.now() - started, count)) co_return too_slow("the body comes too slowly");
  }
  exchange.body_left -= filled;
  exchange.bytes_in += filled;
  exchange.body_ended = exchange.body_left == 0;
  co_return filled;
}

asio::awaitable<Result<size_t>> Connection::read_chunked(Exchange& exchange, std::span<std::byte> into) {
  size_t filled = 0;
  while (true) {
    CO_TRY(const ChunkedReader::Step step, exchange.chunks->read(in_, into.subspan(filled)));
    in_.erase(0, step.used);
    filled += step.written;
    exchange.bytes_in += step.written;
    exchange.body_ended = step.ended;
    if (step.ended || filled == into.size()) co_return filled;
    if (step.used > 0 && !in_.empty()) continue;
    if (in_.size() >= chunked_read_step)
      co_return fail(Reason::bad_request, "a chunk's head or the trailer is too large");
    const Milliseconds started = core_.clock.now();
    const size_t old_size = in_.size();
    in_.resize(old_size + chunked_read_step);
    Result<size_t> count = co_await receive(asio::buffer(in_.data() + old_size, chunked_read_step),
                                            started + core_.options.limits.idle_timeout);
    in_.resize(old_size + (count.ok() ? count.value() : 0));
    if (!count.ok()) co_return std::move(count).error();
    if (count.value() == 0) co_return fail(Reason::client_gone, "the client left inside the body");
    if (!progresses(core_.clock.now() - started, count.value()))
      co_return too_slow("the body comes too slowly");
  }
}

}  // namespace holdfast::net
