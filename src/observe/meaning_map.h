#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/reason.h"
#include "observe/error_map.h"

namespace holdfast::observe {

class EndpointAsker;

// Vectors put together by their likeness as they come (online k-means on the unit sphere): the number of the
// cluster that each belongs to, from 1 on. Bounded; of a vector nothing stays but its share of a centroid.
class MeaningClusters {
 public:
  static constexpr size_t clusters_max = 12, dimensions_max = 4096;

  // One that is less alike to all there are than this cosine begins a cluster, while there may be more.
  explicit MeaningClusters(double likeness) : likeness_(likeness) {}
  // 0: it is none of their length, or has no direction.
  size_t add(std::vector<float> vector);
  size_t size() const { return clusters_.size(); }

 private:
  // Later members move a centroid no less than this many would, so that it follows what is asked today.
  static constexpr double members_counted_max = 200;
  struct Cluster {
    std::vector<float> centroid;  // Of length 1.
    double members = 0;
  };

  double likeness_;
  std::vector<Cluster> clusters_;
};

// One hour of one cluster.
struct MeaningCell {
  WallTime hour{};
  size_t cluster = 0;
  int64_t requests = 0;  // That were looked at, with those that failed.
  std::array<int64_t, error_class_count> errors{};
};

// Requests and errors of each record's endpoint by what they are about, of a sample, over the last 24 hours:
// an embedding endpoint says how alike inputs are, and only centroids and counts are kept, never a text. A
// request waits for none of it; where the endpoint fails or is slow the sample is smaller, no more. Forgets
// at the end of the process. Safe from any thread.
class MeaningMap {
 public:
  struct Options {
    std::string endpoint;  // "ns/name"; empty: nothing is looked at.
    double share = 0.1;    // Of the requests.
    double likeness = 0.35;
  };
  struct Parts {
    const Clock& clock;
    Random& random;
    Metrics& metrics;
  };
  MeaningMap(Options options, const Parts& parts);

  static constexpr size_t waiting_max = 64, text_bytes_max = 2048, texts_a_call = 16, records_max = 48;

  // `body`: what was asked; empty where nothing of it may be kept.
  void offer(const std::string& record, WallTime at, std::string_view body, const ErrorClass* error);
  // What waits, asked of the endpoint; for one thread, again and again. Whether there was something.
  bool tick(EndpointAsker& asker);
  // Until there is something to ask, or the end.
  void wait(const std::stop_token& stop);
  // Of the hours up to `now`, the oldest first.
  std::vector<MeaningCell> view(const std::string& record, WallTime now) const;
  bool looks() const { return !options_.endpoint.empty(); }

 private:
  struct Waiting {
    std::string record, text;
    WallTime at{};
    std::optional<ErrorClass> error;
  };
  struct Seen {
    MeaningClusters clusters;
    std::map<std::pair<int64_t, size_t>, MeaningCell> cells;  // By the hour's number and the cluster.
  };

  void count(const Waiting& one, std::vector<float> vector);

  const Options options_;
  const Clock& clock_;
  Random& random_;
  Counter &failed_, &crowded_, &looked_at_;
  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable_any came_;
  std::deque<Waiting> waiting_;
  std::map<std::string, Seen> records_;
};

// Asks for the map on a thread of its own, which ends with it. Borrows both.
class MeaningWork {
 public:
  virtual ~MeaningWork() = default;
};
std::unique_ptr<MeaningWork> start_meaning(MeaningMap& map, EndpointAsker& asker);

}  // namespace holdfast::observe
