#include "observe/trace_exporter.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace holdfast::observe {
namespace {

bool worth_another_try(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;  // As the protocol says.
}

class ThreadedExporter final : public TraceExporter {
 public:
  ThreadedExporter(TraceOptions options, net::Client& client, Log& log, Metrics& metrics)
      : options_(std::move(options)),
        client_(client),
        log_(log),
        sent_(metrics.counter("holdfast_trace_spans_exported_total", "Spans that the collector took.")),
        crowded_(dropped(metrics, "queue_full")),
        failed_(dropped(metrics, "export_failed")),
        degraded_(metrics.gauge("holdfast_degraded",
                                "1 while a function does not work; endpoints go on without it.",
                                {{"function", "traces"}})) {
    while (options_.endpoint.ends_with('/')) options_.endpoint.pop_back();
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }
  ~ThreadedExporter() override {
    thread_.request_stop();
    thread_.join();
    const auto rest = take();
    if (rest.empty()) return;
    const Result<int> status = send(rest, {});
    (status.ok() && status.value() / 100 == 2 ? sent_ : failed_).add(static_cast<double>(rest.size()));
  }

  bool wants(const std::string& trace, bool parented, bool sampled) const override {
    if (parented) return sampled;
    uint64_t low = 0;  // Of the trace's own bits, so that every part of a system decides alike.
    std::from_chars(trace.data() + 18, trace.data() + 32, low, 16);
    return static_cast<double>(low) < options_.sample_percent / 100 * static_cast<double>(1ULL << 56);
  }

  void offer(std::vector<Span> spans) override {
    std::lock_guard lock(mutex_);
    if (waiting_.size() + spans.size() > options_.waiting_spans_max)
      return crowded_.add(static_cast<double>(spans.size()));
    std::move(spans.begin(), spans.end(), std::back_inserter(waiting_));
    if (waiting_.size() >= options_.batch_spans_max) wake_.notify_one();
  }

 private:
  static Counter& dropped(Metrics& metrics, const char* why) {
    return metrics.counter("holdfast_trace_spans_dropped_total", "Spans that no collector got.",
                           {{"why", why}});
  }

  std::vector<Span> take() {
    std::lock_guard lock(mutex_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), options_.batch_spans_max));
    std::vector<Span> out(std::make_move_iterator(waiting_.begin()),
                          std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    return out;
  }

  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, options_.batch_wait,
                       [this] { return waiting_.size() >= options_.batch_spans_max; });
      }
      for (auto batch = take(); !batch.empty(); batch = take()) {
        deliver(batch, stop);
        if (stop.stop_requested()) break;
      }
    }
  }

  void deliver(const std::vector<Span>& batch, std::stop_token stop) {
    Status last = Done{};
    for (int attempt = 0; attempt == 0 || (attempt < options_.tries && !stop.stop_requested()); ++attempt) {
      const Result<int> status = send(batch, stop.stop_requested() ? std::stop_token() : stop);
      if (status.ok() && status.value() / 100 == 2) {
        degraded_.set(0);
        return sent_.add(static_cast<double>(batch.size()));
      }
      last = status.ok() ? Status(fail(Reason::dependency_failed,
                                       "the collector answered " + std::to_string(status.value())))
                         : Status(status.error());
      if (status.ok() && !worth_another_try(status.value())) break;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, options_.batch_wait * (1 << attempt), [] { return false; });
    }
    degraded_.set(1);
    failed_.add(static_cast<double>(batch.size()));
    if (!last.ok()) log_.failure("traces_not_exported", last.error(), {{"spans", batch.size()}});
  }

  Result<int> send(const std::vector<Span>& batch, std::stop_token stop) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = options_.endpoint + "/v1/traces";
    request.headers.set("Content-Type", "application/json");
    request.body = otlp_json(batch, options_.program_version);
    request.timeout = options_.send_timeout;
    request.body_bytes_max = 1 << 20;
    Context context;
    context.stop = std::move(stop);
    TRY(const net::ClientResponse answer, client_.send(request, context));
    return answer.status;
  }

  TraceOptions options_;
  net::Client& client_;
  Log& log_;
  Counter &sent_, &crowded_, &failed_;
  Gauge& degraded_;
  std::mutex mutex_;  // Guards waiting_.
  std::condition_variable_any wake_;
  std::deque<Span> waiting_;
  std::jthread thread_;  // Last: it uses all above.
};

}  // namespace

std::unique_ptr<TraceExporter> start_trace_exporter(TraceOptions options, net::Client& client, Log& log,
                                                    Metrics& metrics) {
  return std::make_unique<ThreadedExporter>(std::move(options), client, log, metrics);
}

}  // namespace holdfast::observe
