#include "process/descriptor.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::process {

namespace {

constexpr std::chrono::milliseconds slice{100};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    raw_ = std::exchange(other.raw_, -1);
  }
  return *this;
}

void Descriptor::close() {
  if (raw_ >= 0) ::close(raw_);
  raw_ = -1;
}

Status wait_ready(int raw, Ready wanted, const Clock& clock, std::chrono::milliseconds deadline) {
  pollfd watched{raw, static_cast<short>(wanted == Ready::read ? POLLIN : POLLOUT), 0};
  while (true) {
    // Looked at once even when the deadline is now: what is there is there.
    const auto left = std::max(deadline - clock.now(), std::chrono::milliseconds{0});
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min(left, slice).count()));
    if (ready > 0) return Done{};
    if (ready < 0 && errno != EINTR) return fail(Code::internal, "waiting for a descriptor failed");
    if (left.count() == 0) return fail(Reason::timed_out, "the other process took too long");
  }
}

Result<size_t> read_some(int raw, std::span<std::byte> into, const Clock& clock,
                         std::chrono::milliseconds deadline) {
  while (true) {
    const ssize_t got = ::read(raw, into.data(), into.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EINTR) continue;
    if (errno == ECONNRESET) return size_t{0};
    if (errno != EAGAIN) return fail(Code::internal, "reading from another process failed");
    TRY_DONE(wait_ready(raw, Ready::read, clock, deadline));
  }
}

Status write_all(int raw, ByteView bytes, const Clock& clock, std::chrono::milliseconds deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(raw, bytes.data(), bytes.size());
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(sent));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return fail(Reason::client_gone, "the other process has closed its end");
    } else if (errno == EAGAIN) {
      TRY_DONE(wait_ready(raw, Ready::write, clock, deadline));
    } else if (errno != EINTR) {
      return fail(Code::internal, "writing to another process failed");
    }
  }
  return Done{};
}

}  // namespace holdfast::process
