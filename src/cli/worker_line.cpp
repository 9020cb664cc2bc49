#include "cli/worker_line.h"

namespace holdfast::cli {
namespace {

constexpr std::chrono::milliseconds forever = std::chrono::milliseconds::max();

}  // namespace

WorkerLine::WorkerLine(process::Channel channel, const Clock& clock, std::chrono::milliseconds beat)
    : channel_(std::move(channel)), clock_(clock) {
  if (beat.count() > 0) beats_ = std::jthread([this, beat](std::stop_token stop) { show_life(stop, beat); });
}

void WorkerLine::show_life(const std::stop_token& stop, std::chrono::milliseconds beat) {
  std::unique_lock lock(sending_);
  while (!stop.stop_requested()) {
    // A server that has gone is found out where it is listened to.
    if (!channel_.send(static_cast<uint8_t>(serve::FrameKind::beat), {}, clock_, forever).ok()) return;
    wake_.wait_for(lock, stop, beat, [] { return false; });
  }
}

Status WorkerLine::send(serve::FrameKind kind, ByteView payload) {
  std::lock_guard lock(sending_);
  return channel_.send(static_cast<uint8_t>(kind), payload, clock_, forever);
}

Status WorkerLine::send_formatted(ByteView frames) {
  std::lock_guard lock(sending_);
  return channel_.send_formatted(frames, clock_, forever);
}

Result<std::optional<process::Frame>> WorkerLine::receive() { return channel_.receive(clock_, forever); }

Result<bool> WorkerLine::readable() const { return channel_.readable(clock_, clock_.now()); }

}  // namespace holdfast::cli
