#include "process/run.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace holdfast::process {

namespace {

// Takes what is there; false at the end of the stream. More than `bytes_max` is too_large, or dropped.
enum class Overflow : uint8_t { refuse, drop };
Result<bool> drain(Descriptor& from, std::string& into, size_t bytes_max, Overflow overflow) {
  std::array<char, 64 << 10> buffer;
  const ssize_t got = ::read(from.raw(), buffer.data(), buffer.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  const size_t room = bytes_max - into.size();
  if (static_cast<size_t>(got) > room && overflow == Overflow::refuse)
    return fail(Code::too_large, "a program wrote more than it may");
  into.append(buffer.data(), std::min(static_cast<size_t>(got), room));
  return true;
}

// Gives what fits; false when all is written or nobody reads.
bool feed(Descriptor& to, std::string_view& rest) {
  const ssize_t sent = ::write(to.raw(), rest.data(), rest.size());
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  rest.remove_prefix(static_cast<size_t>(sent));
  return !rest.empty();
}

}  // namespace

Result<Ran> run(SpawnOptions options, const RunOptions& how, const Clock& clock) {
  options.input = options.output = options.errors = Stream::pipe;
  const auto deadline = clock.now() + how.timeout;
  TRY(Child child, Child::spawn(options));
  Ran ran;
  std::string_view rest = how.input;
  if (rest.empty()) child.input.close();

  while (child.output || child.errors) {
    if (how.stop.stop_requested()) return fail(Reason::client_gone, "nobody waits for the program any more");
    if (clock.now() >= deadline) return fail(Reason::timed_out, "a program took too long");
    std::array<pollfd, 3> watched{pollfd{child.input.raw(), POLLOUT, 0},
                                  pollfd{child.output.raw(), POLLIN, 0},
                                  pollfd{child.errors.raw(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), 50) < 0 && errno != EINTR)
      return fail(Code::internal, "waiting for a program failed");
    if (watched[0].revents != 0 && !feed(child.input, rest)) child.input.close();
    if (watched[1].revents != 0) {
      TRY(const bool more, drain(child.output, ran.output, how.output_bytes_max, Overflow::refuse));
      if (!more) child.output.close();
    }
    if (watched[2].revents != 0) {
      TRY(const bool more, drain(child.errors, ran.errors, how.errors_bytes_max, Overflow::drop));
      if (!more) child.errors.close();
    }
  }
  TRY(auto ended, child.wait(clock, deadline));
  if (!ended) return fail(Reason::timed_out, "a program took too long");
  ran.exit = *ended;
  return ran;
}

}  // namespace holdfast::process
