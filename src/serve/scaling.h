#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace holdfast::serve {

// How many workers of one model there may be at once. At least `least` are started at once and kept, and a
// model of which none is kept gives way to others; beyond that they follow the load, one at a time.
struct Replicas {
  size_t least = 0, most = 1;
  friend bool operator==(const Replicas&, const Replicas&) = default;
};

// When there is one more, or one fewer.
struct ScalingOptions {
  // One more when what is next has waited longer than up_queue_delay, or the workers were busy for more than
  // up_utilization of the time, all through up_after.
  std::chrono::milliseconds up_queue_delay{500}, up_after{2'000};
  double up_utilization = 0.8;
  // One fewer when those that stay would have been busy for no more than down_utilization of down_after, on
  // average, and nothing waited for longer than up_queue_delay in it.
  double down_utilization = 0.5;
  std::chrono::milliseconds down_after{60'000};
  // A worker that writes so many answers at once counts as busy.
  size_t answers_a_worker = 16;
};

// What a model's workers did since it was last looked.
struct ReplicaLoad {
  std::chrono::milliseconds queue_delay{};  // Of the request that has waited longest.
  double busy = 0;                          // Workers that were busy, on average: 1.5 of 2.
  size_t ready = 0, starting = 0;           // Now.
};

// How busy workers were on average over the last while. Bounded: what is older than a look is kept in spans.
class MeanLoad {
 public:
  explicit MeanLoad(std::chrono::milliseconds window) : window_(window) {}
  void add(std::chrono::milliseconds now, double busy);  // Since the last time.
  void forget() { *this = MeanLoad(window_); }
  // None before it was looked at for as long as the window.
  std::optional<double> mean(std::chrono::milliseconds now) const;

 private:
  static constexpr int spans = 64;
  struct Span {
    std::chrono::milliseconds begin{}, length{};
    double busy = 0;  // Workers times milliseconds.
  };

  std::chrono::milliseconds window_;
  std::optional<std::chrono::milliseconds> last_;
  std::deque<Span> spans_;
};

// Decides how many there should be. Not safe from several threads.
class Scaler {
 public:
  explicit Scaler(const ScalingOptions& options) : options_(options), load_(options.down_after) {}
  // `now` on the Clock; at least one, and `wanted` is what was said the last time.
  size_t wanted(std::chrono::milliseconds now, const ReplicaLoad& load, const Replicas& bounds,
                size_t wanted);

 private:
  // Whether it has been so, without a break, for long enough.
  static bool lasts(std::optional<std::chrono::milliseconds>& since, bool so, std::chrono::milliseconds now,
                    std::chrono::milliseconds length);

  const ScalingOptions options_;
  std::optional<std::chrono::milliseconds> busy_since_;
  MeanLoad load_;
};

}  // namespace holdfast::serve
