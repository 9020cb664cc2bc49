#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "base/metrics.h"
#include "observe/answered.h"
#include "observe/series.h"

namespace holdfast::observe {

enum class Stage : uint8_t { queue, load, tokenize, model, post, guard };
inline constexpr int stage_count = 6;
std::string_view stage_name(Stage stage);

// What is counted of each request to a model, under its series; docs/metrics.md names them all. Safe from any
// thread.
class RequestProbe {
 public:
  // `price`: of an hour of a worker, in the operator's currency.
  RequestProbe(Metrics& metrics, double price_per_hour)
      : metrics_(metrics), price_per_second_(price_per_hour / 3600) {}

  void turned_away(ErrorClass error_class);
  void ended(const Series& series, const Answered& answered, const Judgement& judgement);

 private:
  struct Row {
    std::array<Counter*, outcome_count> requests{};
    std::array<Histogram*, stage_count> stages{};
    Histogram *seconds = nullptr, *cold_seconds = nullptr, *cached_seconds = nullptr, *first_token = nullptr,
              *between_tokens = nullptr;
    Counter *items = nullptr, *tokens = nullptr, *written = nullptr, *unknown = nullptr, *cold = nullptr,
            *busy = nullptr, *cost = nullptr;
    Gauge* cost_each = nullptr;
    double spent = 0, predictions = 0;  // Guarded by mutex_.
  };
  Row& row(const Series& series);
  void count_error(const Series& series, ErrorClass error_class);
  void count_cost(Row& row, const Answered& answered);

  Metrics& metrics_;
  const double price_per_second_;
  std::mutex mutex_;  // Guards rows_.
  std::map<Series, Row> rows_;
};

}  // namespace holdfast::observe
