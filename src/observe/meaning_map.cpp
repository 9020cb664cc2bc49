#include "observe/meaning_map.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <thread>

#include "base/guarded.h"
#include "codec/json.h"
#include "observe/endpoint_prober.h"
#include "observe/input_features.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds patience{10};

int64_t hour_of(WallTime at) { return at.time_since_epoch() / std::chrono::hours(1); }

bool to_unit_length(std::vector<float>& vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  const double length = std::sqrt(squares);
  if (!(length > 1e-12) || !std::isfinite(length)) return false;
  for (float& value : vector) value = static_cast<float>(value / length);
  return true;
}

double likeness_of(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

Result<std::vector<std::vector<float>>> vectors_of(std::string_view answer, size_t wanted) {
  TRY(const json::object said, codec::parse_json_object(answer));
  TRY(const json::array* rows, codec::json_array(said, "data"));
  if (rows->size() != wanted) return fail(Reason::dependency_failed, "not as many vectors as texts");
  std::vector<std::vector<float>> out;
  for (const json::value& row : *rows) {
    if (!row.is_object()) return fail(Reason::dependency_failed, "a row is no object");
    TRY(const json::array* values, codec::json_array(row.get_object(), "embedding"));
    if (values->size() > MeaningClusters::dimensions_max)
      return fail(Reason::dependency_failed, "vectors are too long");
    std::vector<float>& vector = out.emplace_back();
    for (const json::value& value : *values) {
      if (!value.is_number()) return fail(Reason::dependency_failed, "a vector has numbers alone");
      vector.push_back(static_cast<float>(value.to_number<double>()));
    }
  }
  return out;
}

Counter& skipped(Metrics& metrics, const char* why) {
  return metrics.counter("holdfast_meaning_skipped_total",
                         "Sampled requests whose meaning was not looked at.", {{"why", why}});
}

class Working final : public MeaningWork {
 public:
  Working(MeaningMap& map, EndpointAsker& asker)
      : thread_([&map, &asker](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            map.wait(stop);
            if (!stop.stop_requested()) (void)map.tick(asker);
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace

size_t MeaningClusters::add(std::vector<float> vector) {
  if (vector.empty() || vector.size() > dimensions_max || !to_unit_length(vector)) return 0;
  if (!clusters_.empty() && clusters_.front().centroid.size() != vector.size()) return 0;
  size_t best = 0;
  double most = -2;
  for (size_t i = 0; i < clusters_.size(); ++i) {
    const double likeness = likeness_of(clusters_[i].centroid, vector);
    if (likeness > most) {
      most = likeness;
      best = i;
    }
  }
  if (clusters_.empty() || (most < likeness_ && clusters_.size() < clusters_max)) {
    clusters_.push_back({std::move(vector), 1});
    return clusters_.size();
  }
  Cluster& cluster = clusters_[best];
  cluster.members = std::min(cluster.members + 1, members_counted_max);
  std::vector<float> moved = cluster.centroid;
  for (size_t i = 0; i < moved.size(); ++i)
    moved[i] += static_cast<float>((vector[i] - moved[i]) / cluster.members);
  if (to_unit_length(moved)) cluster.centroid = std::move(moved);
  return best + 1;
}

MeaningMap::MeaningMap(Options options, const Parts& parts)
    : options_(std::move(options)),
      clock_(parts.clock),
      random_(parts.random),
      failed_(skipped(parts.metrics, "failed")),
      crowded_(skipped(parts.metrics, "queue_full")),
      looked_at_(parts.metrics.counter("holdfast_meaning_looked_at_total",
                                       "Requests whose meaning was looked at.", {})) {}

void MeaningMap::offer(const std::string& record, WallTime at, std::string_view body,
                       const ErrorClass* error) {
  if (options_.endpoint.empty() || body.empty()) return;
  constexpr uint64_t steps = 1 << 20;
  if (static_cast<double>(random_.below(steps)) >= options_.share * static_cast<double>(steps)) return;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max) return crowded_.add();
  }
  std::string text = text_of_body(body, text_bytes_max);
  if (text.empty()) return;
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= waiting_max) return crowded_.add();
  waiting_.push_back({record, std::move(text), at, error == nullptr ? std::nullopt : std::optional(*error)});
  came_.notify_all();
}

void MeaningMap::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  came_.wait(lock, stop, [&] { return !waiting_.empty(); });
}

bool MeaningMap::tick(EndpointAsker& asker) {
  std::vector<Waiting> taken;
  {
    std::lock_guard lock(mutex_);
    while (!waiting_.empty() && taken.size() < texts_a_call) {
      taken.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  if (taken.empty()) return false;
  json::array texts;
  for (const Waiting& one : taken) texts.emplace_back(one.text);
  Context context;
  context.deadline = clock_.now() + patience;
  auto vectors = guarded([&]() -> Result<std::vector<std::vector<float>>> {
    TRY(const std::string answer,
        asker.ask(context, options_.endpoint, "v1/embeddings",
                  codec::to_text(json::object{{"model", options_.endpoint}, {"input", std::move(texts)}})));
    return vectors_of(answer, taken.size());
  });
  if (!vectors.ok()) {
    failed_.add(static_cast<double>(taken.size()));
    return true;
  }
  looked_at_.add(static_cast<double>(taken.size()));
  for (size_t i = 0; i < taken.size(); ++i) count(taken[i], std::move(vectors.value()[i]));
  return true;
}

void MeaningMap::count(const Waiting& one, std::vector<float> vector) {
  const int64_t hour = hour_of(one.at);
  std::lock_guard lock(mutex_);
  auto found = records_.find(one.record);
  if (found == records_.end()) {
    if (records_.size() >= records_max) return;
    found = records_.emplace(one.record, Seen{MeaningClusters(options_.likeness), {}}).first;
  }
  const size_t cluster = found->second.clusters.add(std::move(vector));
  if (cluster == 0) return;
  auto& cells = found->second.cells;
  cells.erase(cells.begin(), cells.lower_bound({hour - ErrorMap::hours + 1, 0}));
  MeaningCell& cell = cells[{hour, cluster}];
  cell.hour = WallTime(std::chrono::hours(hour));
  cell.cluster = cluster;
  ++cell.requests;
  if (one.error) ++cell.errors[static_cast<size_t>(*one.error)];
}

std::vector<MeaningCell> MeaningMap::view(const std::string& record, WallTime now) const {
  const int64_t oldest = hour_of(now) - ErrorMap::hours + 1;
  std::vector<MeaningCell> out;
  std::lock_guard lock(mutex_);
  const auto found = records_.find(record);
  if (found == records_.end()) return out;
  for (const auto& [key, cell] : found->second.cells)
    if (key.first >= oldest) out.push_back(cell);
  return out;
}

std::unique_ptr<MeaningWork> start_meaning(MeaningMap& map, EndpointAsker& asker) {
  return std::make_unique<Working>(map, asker);
}

}  // namespace holdfast::observe
