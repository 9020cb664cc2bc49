#include "process/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast::process {

namespace {

constexpr size_t socket_path_bytes_max = 100;
constexpr int waiting_connections_max = 128;

Result<sockaddr_un> address_of(const std::string& path) {
  if (path.empty() || path.size() > socket_path_bytes_max)
    return fail(Code::invalid, "the name of a socket is at most 100 bytes");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<Descriptor> make_socket() {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made) return fail(Reason::queue_full, "out of file descriptors");
  return made;
}

}  // namespace

void FrameParser::push(ByteView bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Frame>> FrameParser::next() {
  ByteReader reader(ByteView(buffer_).subspan(at_));
  if (reader.left() < frame_head_bytes) return std::optional<Frame>();
  TRY(const uint32_t length, reader.u32());
  TRY(const uint8_t kind, reader.u8());
  if (length > bytes_max_) return fail(Code::corrupt, "a frame is longer than this channel allows");
  if (reader.left() < length) return std::optional<Frame>();
  TRY(const ByteView payload, reader.take(length));
  at_ += reader.position();
  return std::optional<Frame>(Frame{kind, Bytes(payload.begin(), payload.end())});
}

Bytes format_frame(uint8_t kind, ByteView payload) {
  ByteWriter writer;
  writer.u32(static_cast<uint32_t>(payload.size()));
  writer.u8(kind);
  writer.bytes(payload);
  return std::move(writer).take();
}

Channel::Channel(Descriptor end, size_t payload_bytes_max)
    : end_(std::move(end)), bytes_max_(payload_bytes_max), parser_(payload_bytes_max) {
  ::fcntl(end_.raw(), F_SETFL, O_NONBLOCK);
}

Result<std::pair<Descriptor, Descriptor>> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Reason::queue_full, "out of file descriptors");
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Result<Channel> Channel::connect(const std::string& path, size_t payload_bytes_max) {
  TRY(const sockaddr_un address, address_of(path));
  TRY(Descriptor end, make_socket());
  if (::connect(end.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(Code::unavailable, "nobody listens on the socket");
  return Channel(std::move(end), payload_bytes_max);
}

Status Channel::send(uint8_t kind, ByteView payload, const Clock& clock, std::chrono::milliseconds deadline) {
  if (payload.size() > bytes_max_)
    return fail(Code::too_large, "the message is longer than this channel allows");
  return send_formatted(format_frame(kind, payload), clock, deadline);
}

Status Channel::send_formatted(ByteView frames, const Clock& clock, std::chrono::milliseconds deadline) {
  while (!frames.empty()) {
    const ssize_t sent = ::send(end_.raw(), frames.data(), frames.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      frames = frames.subspan(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY_DONE(wait_ready(end_.raw(), Ready::write, clock, deadline));
    } else if (errno != EINTR) {
      return fail(Reason::client_gone, "the other process has closed its end");
    }
  }
  return Done{};
}

Result<std::optional<Frame>> Channel::receive(const Clock& clock, std::chrono::milliseconds deadline) {
  std::array<std::byte, 64 << 10> piece;
  while (true) {
    TRY(auto frame, parser_.next());
    if (frame) return frame;
    TRY(const size_t got, read_some(end_.raw(), piece, clock, deadline));
    if (got > 0) {
      parser_.push(ByteView(piece).first(got));
    } else if (parser_.empty()) {
      return std::optional<Frame>();
    } else {
      return fail(Code::corrupt, "the other process ended within a message");
    }
  }
}

Result<bool> Channel::readable(const Clock& clock, std::chrono::milliseconds deadline) const {
  if (!parser_.empty()) return true;
  const Status ready = wait_ready(end_.raw(), Ready::read, clock, deadline);
  if (!ready.ok() && ready.error().reason == Reason::timed_out) return false;
  TRY_DONE(ready);
  return true;
}

Result<Listener> Listener::open(const std::string& path) {
  TRY(const sockaddr_un address, address_of(path));
  TRY(Descriptor socket, make_socket());
  ::unlink(path.c_str());
  // Mode 0600 from the start: fchmod of the unbound socket decides the name's mode.
  ::fchmod(socket.raw(), 0600);
  if (::bind(socket.raw(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(Code::internal, "a socket could not be made");
  ::chmod(path.c_str(), 0600);
  if (::listen(socket.raw(), waiting_connections_max) != 0)
    return fail(Code::internal, "a socket could not be listened on");
  ::fcntl(socket.raw(), F_SETFL, O_NONBLOCK);
  return Listener(std::move(socket), path);
}

Listener::~Listener() {
  if (socket_) ::unlink(path_.c_str());
}

Result<std::optional<Descriptor>> Listener::accept(const Clock& clock, std::chrono::milliseconds deadline) {
  while (true) {
    Descriptor peer(::accept4(socket_.raw(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer) {
      ucred who{};
      socklen_t size = sizeof who;
      const bool known = ::getsockopt(peer.raw(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
      if (known && (who.uid == ::geteuid() || who.uid == 0)) return std::optional(std::move(peer));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE) return fail(Reason::queue_full, "out of file descriptors");
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
      return fail(Code::internal, "accepting on a socket failed");
    const Status ready = wait_ready(socket_.raw(), Ready::read, clock, deadline);
    if (!ready.ok() && ready.error().reason == Reason::timed_out) return std::optional<Descriptor>();
    TRY_DONE(ready);
  }
}

}  // namespace holdfast::process
