#include <fmt/format.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/connection.h"
#include "net/pipe_signal.h"
#include "net/pushed_body.h"

namespace holdfast::net {
namespace {

constexpr size_t joined_body_max = 16 << 10;    // Copied behind its head: one write, one TLS record.
constexpr uint64_t small_slice_max = 64 << 10;  // Read and sent with its head.
constexpr uint64_t sendfile_step = 8 << 20;     // Of the kernel's work before others on the pool have a turn.
constexpr size_t chunk_head_bytes = 18;         // 16 hexadecimal digits and CRLF.

// Reads a slice where the kernel cannot send it: under TLS, or from a disk without descriptors.
class SliceSource final : public BodySource {
 public:
  explicit SliceSource(FileSlice slice) : slice_(std::move(slice)) {}
  Result<size_t> read(std::span<std::byte> into) override {
    const size_t wanted = std::min<uint64_t>(into.size(), slice_.length);
    if (wanted == 0) return size_t{0};
    TRY(const size_t count, slice_.file->read_at(slice_.offset, into.first(wanted)));
    slice_.offset += count;
    slice_.length -= count;
    return count;
  }

 private:
  FileSlice slice_;
};

struct Pushed {
  uint64_t count = 0;
  bool blocked = false, failed = false;
};

// Sends until the socket is full or `count` is sent. A file shorter than its slice is a failure.
Pushed push_file(int socket, int file, uint64_t offset, uint64_t count) {
  const WithoutPipeSignal guard;
  Pushed pushed;
  while (pushed.count < count) {
    auto at = static_cast<off_t>(offset + pushed.count);
    const ssize_t sent = ::sendfile(socket, file, &at, count - pushed.count);
    if (sent > 0) {
      pushed.count += static_cast<uint64_t>(sent);
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else {
      pushed.blocked = sent < 0 && errno == EAGAIN;
      pushed.failed = !pushed.blocked;
      break;
    }
  }
  return pushed;
}

// What a handler must not hand out, however it came to it: a body that is not there, a head that would split.
bool is_sendable(const Response& response) {
  if (response.status < 200 || response.status > 599 || !headers_are_writable(response.headers)) return false;
  if (const auto* slice = std::get_if<FileSlice>(&response.body)) return slice->file != nullptr;
  if (const auto* source = std::get_if<std::unique_ptr<BodySource>>(&response.body))
    return *source != nullptr;
  if (const auto* pushed = std::get_if<std::shared_ptr<PushedBody>>(&response.body))
    return *pushed != nullptr;
  return !std::holds_alternative<std::shared_ptr<LateAnswer>>(response.body);  // Of a sink, or of another.
}

// Whether the body's length is known, and how its end is told.
HeadFacts facts_of(const Response& response, int version, bool head_only) {
  HeadFacts facts;
  facts.version = version;
  facts.length = response.content_length;
  if (const auto* text = std::get_if<std::string>(&response.body)) {
    if (!head_only || !facts.length) facts.length = text->size();
  } else if (const auto* slice = std::get_if<FileSlice>(&response.body)) {
    facts.length = slice->length;
  }
  if (!status_has_body(response.status))
    facts.framing = Framing::none;
  else if (facts.length)
    facts.framing = Framing::length;
  else if (head_only)
    facts.framing = Framing::none;
  else
    facts.framing = version == 11 ? Framing::chunked : Framing::close;
  return facts;
}

std::string_view text(const std::byte* bytes, size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

}  // namespace

asio::awaitable<void> Connection::deliver(Exchange& exchange, Response response) {
  if (!is_sendable(response)) {
    Response broken = std::move(response);
    response = write_error(exchange, fail(Code::internal, "internal error"));
    auto drop = [&]() -> Status {
      broken.body = std::string();
      return Done{};
    };
    Status dropped = co_await on_pool(core_.pool, std::move(drop));
  }
  HeadFacts facts = facts_of(response, exchange.head.version, exchange.head_only);
  if (core_.stopping || facts.framing == Framing::close || !exchange.body_ended ||
      asks_to_close(response.headers))
    exchange.keep_alive = false;
  facts.keep_alive = exchange.keep_alive;
  facts.trace_id = exchange.context.trace_id;
  facts.date = date();
  exchange.status = response.status;
  std::string head = write_response_head(response, facts);
  const bool sends_body = !exchange.head_only && status_has_body(response.status);

  bool sent = true;
  if (auto* body = std::get_if<std::string>(&response.body)) {
    const bool joined = sends_body && body->size() <= joined_body_max;
    if (joined) head += *body;
    sent = co_await send(head, sends_body && !joined ? std::string_view(*body) : std::string_view());
    exchange.dead = !sent;
    co_return;
  }
  if (auto* slice = std::get_if<FileSlice>(&response.body); slice != nullptr && sends_body) {
    sent = co_await deliver_slice(exchange, *slice, std::move(head));
  } else {
    sent = co_await send(head);
    if (auto* source = std::get_if<std::unique_ptr<BodySource>>(&response.body);
        source != nullptr && sends_body && sent)
      sent = co_await deliver_source(exchange, **source, facts.length, facts.framing);
    else if (auto* pushed = std::get_if<std::shared_ptr<PushedBody>>(&response.body)) {
      if (sends_body && sent) sent = co_await deliver_pushed(*pushed, facts.framing);
      if (auto queue = std::dynamic_pointer_cast<PushedQueue>(*pushed)) queue->leave();
    }
  }
  exchange.dead = !sent;
  if (!sent) exchange.stop.request_stop();
  // Files are closed and sources destroyed where blocking is allowed.
  auto drop = [&]() -> Status {
    response.body = std::string();
    return Done{};
  };
  Status dropped = co_await on_pool(core_.pool, std::move(drop));
}

asio::awaitable<bool> Connection::deliver_slice(Exchange& exchange, FileSlice& slice, std::string head) {
  const int file = slice.file->descriptor();
  if (slice.length <= small_slice_max) {
    auto read = [&]() -> Result<std::string> {
      std::string bytes(slice.length, '\0');
      TRY(const size_t count, slice.file->read_at(slice.offset, std::as_writable_bytes(std::span(bytes))));
      if (count != bytes.size()) return fail(Code::corrupt, "the file is shorter than it should be");
      return bytes;
    };
    Result<std::string> bytes = co_await on_pool(core_.pool, std::move(read));
    if (!bytes.ok()) co_return false;
    co_return co_await send(head, bytes.value());
  }
  if (!co_await send(head)) co_return false;
  if (file < 0 || stream_.secure()) {
    SliceSource source(slice);
    co_return co_await deliver_source(exchange, source, slice.length, Framing::length);
  }
  const int socket = stream_.descriptor();
  while (slice.length > 0) {
    if (cut_) co_return false;
    auto step = [&]() -> Result<Pushed> {
      return push_file(socket, file, slice.offset, std::min(slice.length, sendfile_step));
    };
    Result<Pushed> pushed = co_await on_pool(core_.pool, std::move(step));
    if (!pushed.ok() || pushed.value().failed) co_return false;
    slice.offset += pushed.value().count;
    slice.length -= pushed.value().count;
    sent_ += pushed.value().count;
    if (!pushed.value().blocked) continue;
    const Milliseconds started = core_.clock.now();
    timed_out_ = false;
    deadline_ = started + core_.options.limits.idle_timeout;
    const IoError error = co_await stream_.wait_writable();
    deadline_ = never;
    if (error || !progresses(core_.clock.now() - started, pushed.value().count)) co_return false;
  }
  co_return true;
}

// The pool reads one piece while the one before is sent.
asio::awaitable<bool> Connection::deliver_source(Exchange& exchange, BodySource& source,
                                                 std::optional<uint64_t> length, Framing framing) {
  const size_t piece_bytes = core_.options.limits.piece_bytes;
  // Room for the chunk's head before the bytes and for its CRLF behind: one write a piece.
  std::array<std::unique_ptr<std::byte[]>, 2> pieces;
  for (auto& piece : pieces)
    piece = std::make_unique_for_overwrite<std::byte[]>(chunk_head_bytes + piece_bytes + 2);
  PoolJob<Result<size_t>> reading(core_.pool, loop_.context);
  auto read_into = [&](size_t turn) {
    const std::span<std::byte> into(pieces[turn].get() + chunk_head_bytes, piece_bytes);
    reading.start([&source, into] { return source.read(into); });
  };
  uint64_t total = 0;
  bool good = true;
  read_into(0);
  for (size_t turn = 0; good; turn ^= 1) {
    Result<size_t> count = co_await reading.wait();
    if (!count.ok()) {
      core_.log.failure("source_failed", count.error(), {{"trace_id", exchange.context.trace_id}});
      co_return false;
    }
    CHECK(count.value() <= piece_bytes);
    if (count.value() == 0) break;
    read_into(turn ^ 1);
    total += count.value();
    std::byte* bytes = pieces[turn].get() + chunk_head_bytes;
    size_t size = count.value();
    if (framing == Framing::chunked) {
      const std::string head = fmt::format("{:x}\r\n", size);
      std::memcpy(bytes + size, "\r\n", 2);
      bytes -= head.size();
      std::memcpy(bytes, head.data(), head.size());
      size += head.size() + 2;
    }
    if (length && total > *length) good = false;
    if (good) good = co_await send(text(bytes, size));
  }
  if (reading.started()) {
    Result<size_t> unused = co_await reading.wait();
  }
  if (!good || (length && total != *length)) co_return false;
  if (framing != Framing::chunked) co_return true;
  co_return co_await send("0\r\n\r\n");
}

asio::awaitable<bool> Connection::deliver_pushed(std::shared_ptr<PushedBody> body, Framing framing) {
  auto queue = std::dynamic_pointer_cast<PushedQueue>(body);
  CHECK(queue != nullptr);  // make_pushed_body is the only maker.
  // Shared with wakes that are on their way when the connection has ended.
  auto wake = std::make_shared<asio::steady_timer>(loop_.context, asio::steady_timer::time_point::max());
  asio::io_context& context = loop_.context;
  queue->attach([&context, wake] { asio::post(context, [wake] { wake->cancel(); }); });
  waiting_for_push_ = wake.get();
  watch_gone_ = true;
  bool good = true, closed = false;
  while (good && !closed && !gone_ && !cut_) {
    PushedQueue::Taken taken = queue->take();
    if (taken.failed) good = false;
    closed = taken.closed;
    if (!taken.bytes.empty() && framing == Framing::chunked) {
      const std::string head = fmt::format("{:x}\r\n", taken.bytes.size());
      taken.bytes += "\r\n";
      good = co_await send(head, taken.bytes) && good;
    } else if (!taken.bytes.empty()) {
      good = co_await send(taken.bytes) && good;
    } else if (!closed) {
      IoError cancelled;
      co_await wake->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
  }
  waiting_for_push_ = nullptr;
  watch_gone_ = false;
  if (!good || gone_ || cut_) co_return false;
  if (framing != Framing::chunked) co_return true;
  co_return co_await send("0\r\n\r\n");
}

}  // namespace holdfast::net
