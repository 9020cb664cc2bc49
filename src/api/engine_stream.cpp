#include "api/engine_stream.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "base/guarded.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

constexpr size_t looked_at_bytes_max = 1 << 20, whole_bytes_max = 16 << 20, unsent_bytes_max = 4 << 20;
constexpr std::chrono::milliseconds look_again{200};

bool is_event_stream(std::string_view begin) {
  return begin.starts_with("data:") || begin.starts_with("event:") || begin.starts_with("id:") ||
         begin.starts_with(":");
}

// One answer on its way: from the thread that reads the engine to the one that waits for its begin, then into
// the body that is sent. Shared by those two and the watcher.
class Stream {
 public:
  // On the reading thread.
  Status take(ByteView bytes) {
    std::unique_lock lock(mutex_);
    if (body_ == nullptr) {
      begin_ += as_text(bytes);
      if (!is_event_stream(begin_))
        return begin_.size() <= whole_bytes_max
                   ? Status(Done{})
                   : fail(Reason::body_too_large, "the engine's answer is too large");
      body_ = net::make_pushed_body(unsent_bytes_max);
      began_.notify_all();
      return push(lock, std::exchange(begin_, {}));
    }
    return push(lock, std::string(as_text(bytes)));
  }

  void end(Result<net::ClientResponse> outcome) {
    std::lock_guard lock(mutex_);
    if (body_ != nullptr) body_->close(outcome.ok() ? Status(Done{}) : Status(outcome.error()));
    outcome_ = std::move(outcome);
    began_.notify_all();
  }

  // On the waiting thread: the answer's head, and its whole body where it is no stream.
  Result<net::Response> wait(const Context& context) {
    std::unique_lock lock(mutex_);
    began_.wait(lock, context.stop, [this] { return body_ != nullptr || outcome_.has_value(); });
    if (context.stop.stop_requested() && body_ == nullptr) {
      leave.request_stop();
      return fail(Reason::client_gone, "the client left");
    }
    net::Response out;
    out.headers.set("X-Content-Type-Options", "nosniff");
    out.headers.set("Content-Security-Policy", "sandbox");  // It is a stranger's text on our origin.
    if (body_ != nullptr) {
      out.headers.set("Content-Type", "text/event-stream; charset=utf-8");
      out.headers.set("Cache-Control", "no-cache");
      out.headers.set("X-Accel-Buffering", "no");
      out.body = body_;
      return out;
    }
    TRY(net::ClientResponse answer, std::move(*outcome_));
    out.status = answer.status;
    const std::string_view type = answer.headers.get("Content-Type");
    out.headers.set("Content-Type", std::string(type.empty() ? "application/json" : type));
    if (const auto retry = answer.headers.find("Retry-After"))
      out.headers.set("Retry-After", std::string(*retry));
    out.body = begin_.empty() ? std::move(answer.body) : std::move(begin_);
    return out;
  }

  bool gone() {
    std::lock_guard lock(mutex_);
    return body_ != nullptr && body_->gone();
  }
  bool over() {
    std::lock_guard lock(mutex_);
    return outcome_.has_value();
  }

  std::stop_source leave;  // Ends the engine's request.

 private:
  // A reader who is slower than the engine is waited for, and the engine with it.
  Status push(std::unique_lock<std::mutex>& lock, std::string bytes) {
    const std::shared_ptr<net::PushedBody> body = body_;
    while (true) {
      const Status pushed = body->push(bytes);
      if (pushed.ok() || pushed.error().code != Code::busy) return pushed;
      if (leave.stop_requested()) return fail(Reason::client_gone, "the client left");
      began_.wait_for(lock, leave.get_token(), look_again, [] { return false; });
    }
  }

  std::mutex mutex_;  // Guards all below.
  std::condition_variable_any began_;
  std::string begin_;  // Until it is known to be a stream.
  std::shared_ptr<net::PushedBody> body_;
  std::optional<Result<net::ClientResponse>> outcome_;
};

class Streams final : public EngineStreams {
 public:
  Streams() : watcher_([this](std::stop_token stop) { watch(stop); }) {}
  ~Streams() override {
    watcher_.request_stop();
    watcher_.join();
    std::lock_guard lock(mutex_);
    for (const Running& one : running_) one.stream->leave.request_stop();
    running_.clear();  // Joins.
  }

  Result<net::Response> open(net::Client& client, net::ClientRequest request,
                             const Context& context) override {
    const auto stream = std::make_shared<Stream>();
    {
      std::lock_guard lock(mutex_);
      if (running_.size() >= engine_streams_max)
        return fail(Reason::queue_full, "as many answers of outside engines are passed on as are taken");
      Context inner = context;
      inner.stop = stream->leave.get_token();
      request.take = [stream](ByteView bytes) { return stream->take(bytes); };
      running_.push_back({stream, std::jthread([&client, stream, inner, request = std::move(request)] {
                            stream->end(guarded([&] { return client.send(request, inner); }));
                          })});
    }
    return stream->wait(context);
  }

 private:
  struct Running {
    std::shared_ptr<Stream> stream;
    std::jthread thread;
  };

  // Ends what nobody reads, and forgets what is over.
  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, look_again, [] { return false; });
      for (const Running& one : running_)
        if (one.stream->gone()) one.stream->leave.request_stop();
      running_.remove_if([](const Running& one) { return one.stream->over(); });
    }
  }

  std::mutex mutex_;  // Guards running_.
  std::condition_variable_any wake_;
  std::list<Running> running_;
  std::jthread watcher_;
};

}  // namespace

bool asks_for_stream(std::string_view rest, const std::string& body) {
  if (rest == "generate_stream") return true;
  if (body.size() > looked_at_bytes_max || body.find("\"stream\"") == std::string::npos) return false;
  const auto object = codec::parse_json_object(body);
  if (!object.ok()) return false;
  const auto streams = codec::json_flag_if(object.value(), "stream");
  return streams.ok() && streams.value().value_or(false);
}

std::unique_ptr<EngineStreams> make_engine_streams() { return std::make_unique<Streams>(); }

}  // namespace holdfast::api
