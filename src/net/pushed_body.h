#pragma once

#include <functional>
#include <mutex>

#include "net/message.h"

namespace holdfast::net {

// The reading half of a PushedBody, for the connection that sends it; shared by that connection and the
// producers. Safe from any thread.
class PushedQueue final : public PushedBody {
 public:
  explicit PushedQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  Status push(std::string bytes) override;
  void close(Status outcome) override;
  bool gone() const override;

  // `wake` is called, on the producer's thread, when there is something to take after there was nothing.
  void attach(std::function<void()> wake);
  struct Taken {
    std::string bytes;
    bool closed = false;  // Nothing will follow `bytes`.
    bool failed = false;  // It was closed with an error.
  };
  Taken take();
  void leave();  // The connection ended: from here on producers are told client_gone.

 private:
  void notify();  // Under mutex_.

  const size_t bytes_max_;
  mutable std::mutex mutex_;  // Guards all below.
  std::string waiting_;
  std::function<void()> wake_;
  bool closed_ = false, failed_ = false, gone_ = false, told_ = false;
};

}  // namespace holdfast::net
