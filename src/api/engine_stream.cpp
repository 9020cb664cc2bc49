#include "api/engine_stream.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "api/engine_answers.h"
#include "api/stream_telling.h"
#include "base/guarded.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

constexpr size_t looked_at_bytes_max = 1 << 20, whole_bytes_max = 16 << 20, unsent_bytes_max = 4 << 20,
                 event_bytes_max = 1 << 20;
constexpr int64_t tokens_most = 100'000'000;
constexpr std::chrono::milliseconds look_again{200};

bool is_event_stream(std::string_view begin) {
  if (begin.starts_with("\xEF\xBB\xBF")) begin.remove_prefix(3);
  while (begin.starts_with('\n') || begin.starts_with('\r')) begin.remove_prefix(1);
  for (const std::string_view field : {"data:", "event:", "id:", "retry:", ":"})
    if (begin.starts_with(field)) return true;
  return false;
}

// Where the last whole event ends; 0: none does.
size_t whole_events(std::string_view bytes) {
  const size_t plain = bytes.rfind("\n\n"), dos = bytes.rfind("\r\n\r\n");
  const size_t after_plain = plain == std::string_view::npos ? 0 : plain + 2;
  return std::max(after_plain, dos == std::string_view::npos ? 0 : dos + 4);
}

// What an engine says in its events that the answer took.
void read_usage(std::string_view events, serve::Work& work) {
  while (!events.empty()) {
    std::string_view line = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(line.size() + 1, events.size()));
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    if (line.find("\"usage\"") == std::string_view::npos &&
        line.find("\"details\"") == std::string_view::npos)
      continue;
    if (const auto object = codec::parse_json_object(line); object.ok())
      add_engine_usage(object.value(), work);
  }
}

// One answer on its way: from the thread that reads the engine to the one that waits for its begin, then into
// the body that is sent. Shared by those two and the watcher.
class Stream {
 public:
  explicit Stream(EnginePassing passing) : passing_(std::move(passing)) {}

  // On the reading thread.
  Status take(ByteView bytes) {
    std::unique_lock lock(mutex_);
    unsent_ += as_text(bytes);
    if (body_ == nullptr) {
      if (!is_event_stream(unsent_))
        return unsent_.size() <= whole_bytes_max
                   ? Status(Done{})
                   : fail(Reason::body_too_large, "the engine's answer is too large");
      body_ = net::make_pushed_body(unsent_bytes_max);
      passing_.telling->begin(body_);
      began_.notify_all();
    }
    const size_t whole = whole_events(unsent_);
    if (whole == 0)
      return unsent_.size() <= event_bytes_max
                 ? Status(Done{})
                 : fail(Reason::body_too_large, "the engine's event is too large");
    std::string events = unsent_.substr(0, whole);
    unsent_.erase(0, whole);
    return push(lock, std::move(events));
  }

  void end(Result<net::ClientResponse> outcome, std::chrono::nanoseconds took) {
    std::unique_lock lock(mutex_);
    if (body_ != nullptr) end_stream(lock, outcome, took);
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
      handed_over_ = true;
      return out;
    }
    TRY(net::ClientResponse answer, std::move(*outcome_));
    out.status = answer.status;
    const std::string_view type = answer.headers.get("Content-Type");
    out.headers.set("Content-Type", std::string(type.empty() ? "application/json" : type));
    if (const auto retry = answer.headers.find("Retry-After"))
      out.headers.set("Retry-After", std::string(*retry));
    out.body = unsent_.empty() ? std::move(answer.body) : std::move(unsent_);
    return out;
  }

  // Whether nobody reads it: the reader left, or there never was one. The telling holds the body as well.
  bool gone() {
    std::lock_guard lock(mutex_);
    return body_ != nullptr &&
           (passing_.telling->gone() || (handed_over_ && body_.use_count() <= holders_here));
  }
  bool over() {
    std::lock_guard lock(mutex_);
    return outcome_.has_value();
  }

  std::stop_source leave;  // Ends the engine's request.

 private:
  static constexpr long holders_here = 2;

  void end_stream(std::unique_lock<std::mutex>& lock, const Result<net::ClientResponse>& outcome,
                  std::chrono::nanoseconds took) {
    std::optional<Error> error;
    if (!outcome.ok()) error = outcome.error();
    if (outcome.ok() && !unsent_.empty() && !unsent_.ends_with('\n'))
      error = fail(Reason::dependency_failed, "the engine's stream ended in the middle of an event");
    if (leave.stop_requested()) error = fail(Reason::client_gone, "the client left");
    if (error && error->reason != Reason::client_gone)
      (void)push(lock, passing_.failure(*error));
    else if (!error && !unsent_.empty())
      (void)push(lock, std::move(unsent_));
    work_.model = work_.busy = took;
    passing_.telling->end(std::move(error), work_);
    while (!passing_.telling->finish() && !leave.stop_requested())
      began_.wait_for(lock, leave.get_token(), look_again, [] { return false; });
  }

  // A reader who is slower than the engine is waited for, and the engine with it.
  Status push(std::unique_lock<std::mutex>& lock, std::string bytes) {
    read_usage(bytes, work_);
    while (true) {
      const Status pushed = passing_.telling->push(bytes);
      if (pushed.ok() || pushed.error().reason != Reason::queue_full) return pushed;
      if (leave.stop_requested()) return fail(Reason::client_gone, "the client left");
      began_.wait_for(lock, leave.get_token(), look_again, [] { return false; });
    }
  }

  const EnginePassing passing_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable_any began_;
  std::string unsent_;  // Until it is known to be a stream; then, until it is a whole event.
  std::shared_ptr<net::PushedBody> body_;
  serve::Work work_;
  bool handed_over_ = false;
  std::optional<Result<net::ClientResponse>> outcome_;
};

class Streams final : public EngineStreams {
 public:
  explicit Streams(const Ticks& ticks)
      : ticks_(ticks), watcher_([this](std::stop_token stop) { watch(stop); }) {}
  ~Streams() override {
    watcher_.request_stop();
    watcher_.join();
    std::lock_guard lock(mutex_);
    for (const Running& one : running_) one.stream->leave.request_stop();
    running_.clear();  // Joins.
  }

  Result<net::Response> open(net::Client& client, net::ClientRequest request, const Context& context,
                             EnginePassing passing) override {
    const auto stream = std::make_shared<Stream>(std::move(passing));
    {
      std::lock_guard lock(mutex_);
      if (running_.size() >= engine_streams_max)
        return fail(Reason::queue_full, "as many answers of outside engines are passed on as are taken");
      Context inner = context;
      inner.stop = stream->leave.get_token();
      request.take = [stream](ByteView bytes) { return stream->take(bytes); };
      running_.push_back({stream, std::jthread([this, &client, stream, inner, request = std::move(request)] {
                            const auto began = ticks_.now();
                            auto outcome = guarded([&] { return client.send(request, inner); });
                            if (!outcome.ok()) outcome = without_address(std::move(outcome).error());
                            stream->end(std::move(outcome), ticks_.now() - began);
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

  const Ticks& ticks_;
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

void add_engine_usage(const boost::json::object& said, serve::Work& work) {
  static constexpr const char* names[][3] = {{"usage", "prompt_tokens", "completion_tokens"},
                                             {"usage", "input_tokens", "output_tokens"},
                                             {"details", "input_length", "generated_tokens"}};
  for (const auto& [member, read, written] : names) {
    const auto usage = codec::json_object_if(said, member);
    if (!usage.ok() || usage.value() == nullptr) continue;
    const auto count = [&](const char* name) -> uint64_t {
      const auto number = codec::json_integer_if(*usage.value(), name);
      return number.ok()
                 ? static_cast<uint64_t>(std::clamp<int64_t>(number.value().value_or(0), 0, tokens_most))
                 : 0;
    };
    if (count(read) + count(written) == 0) continue;
    work.written_tokens = count(written);
    work.tokens = count(read) + count(written);
    return;
  }
}

std::unique_ptr<EngineStreams> make_engine_streams(const Ticks& ticks) {
  return std::make_unique<Streams>(ticks);
}

}  // namespace holdfast::api
