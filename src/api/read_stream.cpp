#include "api/read_stream.h"

#include <condition_variable>
#include <mutex>

#include "net/pushed_body.h"

namespace holdfast::api {
namespace {

constexpr std::chrono::minutes patience{10};  // Of a stream that says nothing any more.

Result<std::string> read_queue(net::PushedQueue& queue, const Context& context, size_t bytes_max) {
  std::mutex mutex;
  std::condition_variable_any there;
  bool woken = false;
  queue.attach([&] {
    std::lock_guard lock(mutex);
    woken = true;
    there.notify_all();
  });
  std::string out;
  while (true) {
    const net::PushedQueue::Taken taken = queue.take();
    out += taken.bytes;
    if (out.size() > bytes_max) return fail(Reason::body_too_large, "the streamed answer is too long");
    if (taken.failed) return fail(Reason::dependency_failed, "the stream was cut");
    if (taken.closed) return out;
    if (!taken.bytes.empty()) continue;
    std::unique_lock lock(mutex);
    if (!there.wait_for(lock, context.stop, patience, [&] { return woken; })) {
      if (context.stop.stop_requested()) return fail(Reason::client_gone, "the caller left");
      return fail(Reason::timed_out, "the stream did not go on");
    }
    woken = false;
  }
}

}  // namespace

Result<std::string> read_answer(const net::Response& answer, const Context& context, size_t bytes_max) {
  if (const auto* text = std::get_if<std::string>(&answer.body)) return *text;
  const auto* pushed = std::get_if<std::shared_ptr<net::PushedBody>>(&answer.body);
  auto* queue = pushed == nullptr ? nullptr : dynamic_cast<net::PushedQueue*>(pushed->get());
  if (queue == nullptr) return fail(Code::conflict, "this answer is no text");
  auto out = read_queue(*queue, context, bytes_max);
  queue->leave();  // Whoever writes is told that nobody reads.
  return out;
}

}  // namespace holdfast::api
