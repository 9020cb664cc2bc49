#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "process/channel.h"
#include "serve/worker_protocol.h"

namespace holdfast::cli {

// A worker's end of the channel to its server, with a thread that shows the server every `beat` that the
// process lives, from the first moment on. One thread sends and receives beside it.
class WorkerLine {
 public:
  // `beat` of 0: none.
  WorkerLine(process::Channel channel, const Clock& clock, std::chrono::milliseconds beat);

  // As the channel's, without a deadline.
  Status send(serve::FrameKind kind, ByteView payload);
  Status send_formatted(ByteView frames);
  Result<std::optional<process::Frame>> receive();
  Result<bool> readable() const;  // Now.

 private:
  void show_life(const std::stop_token& stop, std::chrono::milliseconds beat);

  process::Channel channel_;
  const Clock& clock_;
  std::mutex sending_;  // Guards what is sent: no frame within another.
  std::condition_variable_any wake_;
  std::jthread beats_;  // Last: it uses all above.
};

}  // namespace holdfast::cli
