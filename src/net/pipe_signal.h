#pragma once

#include <pthread.h>
#include <time.h>

#include <csignal>

namespace holdfast::net {

// While it lives, a write of this thread to a connection that the other side closed is an error only. For
// calls that have no MSG_NOSIGNAL (sendfile, OpenSSL's own writes): how the process takes SIGPIPE is not for
// this room to say, and children inherit it.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t waiting;
    sigemptyset(&waiting);
    sigpending(&waiting);
    was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &old_);
  }
  ~WithoutPipeSignal() {
    const timespec at_once{};
    if (!was_waiting_) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_, old_;
  bool was_waiting_;
};

}  // namespace holdfast::net
