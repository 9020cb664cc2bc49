#include "git/git_exchange.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace holdfast::git {

namespace {

constexpr size_t early_output_bytes_max = 4 << 20;  // What git says before it has read the whole request.
constexpr size_t errors_bytes_max = 16 << 10;
constexpr std::chrono::milliseconds stop_grace{2'000};  // For git to remove its quarantine.
constexpr int slice_ms = 100;

// A git process and its three pipes. git may write while it still reads, so whoever waits for one pipe serves
// all.
class GitProcess {
 public:
  GitProcess(ExchangeOptions options, process::Child child, std::unique_ptr<RunningPush> push,
             ExchangeSlot slot, const Clock& clock, Log& log)
      : options_(std::move(options)),
        child_(std::move(child)),
        push_(std::move(push)),
        slot_(std::move(slot)),
        clock_(clock),
        log_(log) {}
  ~GitProcess() {
    if (!ended_) child_.stop(clock_, stop_grace);
  }
  GitProcess(const GitProcess&) = delete;
  GitProcess& operator=(const GitProcess&) = delete;

  Status write(ByteView bytes) {
    request_bytes_ += bytes.size();
    if (request_bytes_ > options_.request_bytes_max)
      return fail(Reason::body_too_large, "the request is larger than this server accepts");
    while (!bytes.empty() && child_.input) {
      const ssize_t sent = ::write(child_.input.raw(), bytes.data(), bytes.size());
      if (sent >= 0) {
        bytes = bytes.subspan(static_cast<size_t>(sent));
      } else if (errno == EPIPE) {
        child_.input.close();  // git has said no already; why is in its answer.
      } else if (errno == EAGAIN) {
        TRY_DONE(serve());
        if (early_.size() > early_output_bytes_max)
          return fail(Code::too_large, "git answers before it has read");
      } else if (errno != EINTR) {
        return fail(Code::internal, "writing to git failed");
      }
    }
    return Done{};
  }

  // Waits until there is an answer, so that a git that failed at once becomes a status and not half a body.
  Status finish_request() {
    child_.input.close();
    while (early_.empty() && child_.output) TRY_DONE(serve());
    if (early_.empty()) return end();
    return Done{};
  }

  Result<size_t> read(std::span<std::byte> into) {
    while (early_.size() == taken_) {
      early_.clear();
      taken_ = 0;
      if (!child_.output) {
        if (!ended_) (void)end();  // What it had to say is said; the log knows how it ended.
        return size_t{0};
      }
      TRY_DONE(serve());
    }
    const size_t count = std::min(into.size(), early_.size() - taken_);
    std::memcpy(into.data(), early_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  // Takes what git has written, waiting up to a slice for any of its pipes.
  Status serve() {
    if (options_.stop.stop_requested()) return fail(Reason::client_gone, "the client has gone");
    if (clock_.now() >= options_.deadline) return fail(Reason::timed_out, "git took too long");
    std::array<pollfd, 3> watched{pollfd{child_.input.raw(), POLLOUT, 0},
                                  pollfd{child_.output.raw(), POLLIN, 0},
                                  pollfd{child_.errors.raw(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), slice_ms) < 0 && errno != EINTR)
      return fail(Code::internal, "waiting for git failed");
    if (watched[1].revents != 0) take(child_.output, early_);
    if (watched[2].revents != 0) take(child_.errors, errors_);
    if (errors_.size() > errors_bytes_max) errors_.resize(errors_bytes_max);
    return Done{};
  }

  static void take(process::Descriptor& from, std::string& into) {
    std::array<char, 64 << 10> piece;
    const ssize_t got = ::read(from.raw(), piece.data(), piece.size());
    if (got > 0) into.append(piece.data(), static_cast<size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) from.close();
  }

  Status end() {
    ended_ = true;
    while (child_.errors) {
      if (!serve().ok()) break;
    }
    const auto exit =
        child_.wait(clock_, std::min(options_.deadline, clock_.now() + std::chrono::seconds(60)));
    const bool exited = exit.ok() && exit.value().has_value();
    if (!exited) child_.stop(clock_, stop_grace);
    if (exited && exit.value()->clean()) return Done{};
    log_.warn("git_failed", {{"service", service_name(options_.service)},
                             {"exit_code", exited ? exit.value()->code : -1},
                             {"stderr", std::string_view(errors_).substr(0, 2000)}});
    return fail(Reason::dependency_failed, "git could not answer the request");
  }

  ExchangeOptions options_;
  process::Child child_;
  std::unique_ptr<RunningPush> push_;
  ExchangeSlot slot_;
  const Clock& clock_;
  Log& log_;
  uint64_t request_bytes_ = 0;
  std::string early_, errors_;  // Read from git and not taken yet.
  size_t taken_ = 0;            // Of early_.
  bool ended_ = false;
};

class ProcessSource final : public ByteSource {
 public:
  explicit ProcessSource(std::unique_ptr<GitProcess> git) : git_(std::move(git)) {}
  Result<size_t> read(std::span<std::byte> into) override { return git_->read(into); }

 private:
  std::unique_ptr<GitProcess> git_;
};

class ProcessExchange final : public Exchange {
 public:
  explicit ProcessExchange(std::unique_ptr<GitProcess> git) : git_(std::move(git)) {}
  Status write(ByteView bytes) override { return git_->write(bytes); }
  Result<std::unique_ptr<ByteSource>> finish() override {
    TRY_DONE(git_->finish_request());
    return std::unique_ptr<ByteSource>(std::make_unique<ProcessSource>(std::move(git_)));
  }

 private:
  std::unique_ptr<GitProcess> git_;
};

}  // namespace

Result<std::unique_ptr<Exchange>> start_exchange(ExchangeOptions options, std::unique_ptr<RunningPush> push,
                                                 ExchangeSlot slot, const Clock& clock, Log& log) {
  options.spawn.input = options.spawn.output = options.spawn.errors = process::Stream::pipe;
  TRY(process::Child child, process::Child::spawn(options.spawn));
  auto git = std::make_unique<GitProcess>(std::move(options), std::move(child), std::move(push),
                                          std::move(slot), clock, log);
  return std::unique_ptr<Exchange>(std::make_unique<ProcessExchange>(std::move(git)));
}

}  // namespace holdfast::git
