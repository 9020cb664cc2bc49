#include "net/pushed_body.h"

namespace holdfast::net {

Status PushedQueue::push(std::string bytes) {
  std::lock_guard lock(mutex_);
  if (gone_) return fail(Reason::client_gone, "the client has gone");
  if (closed_) return fail(Reason::bad_request, "the answer is closed");
  // One piece always fits into an empty queue, whatever its size.
  if (!waiting_.empty() && waiting_.size() + bytes.size() > bytes_max_)
    return fail(Reason::queue_full, "the client reads too slowly");
  if (waiting_.empty())
    waiting_ = std::move(bytes);
  else
    waiting_ += bytes;
  notify();
  return Done{};
}

void PushedQueue::close(Status outcome) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  failed_ = !outcome.ok();
  notify();
}

bool PushedQueue::gone() const {
  std::lock_guard lock(mutex_);
  return gone_;
}

void PushedQueue::attach(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  if (!waiting_.empty() || closed_) notify();
}

PushedQueue::Taken PushedQueue::take() {
  std::lock_guard lock(mutex_);
  told_ = false;
  return {.bytes = std::exchange(waiting_, {}), .closed = closed_, .failed = failed_};
}

void PushedQueue::leave() {
  std::lock_guard lock(mutex_);
  gone_ = true;
  wake_ = nullptr;
  waiting_ = {};
}

// Called under the lock, so that `leave` returns only when no wake is running any more.
void PushedQueue::notify() {
  if (told_ || !wake_ || gone_) return;
  told_ = true;
  wake_();
}

std::shared_ptr<PushedBody> make_pushed_body(size_t bytes_max) {
  return std::make_shared<PushedQueue>(bytes_max);
}

}  // namespace holdfast::net
