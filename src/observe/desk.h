#pragma once

#include <mutex>
#include <set>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/ticks.h"
#include "observe/answered.h"
#include "observe/drift.h"
#include "observe/error_map.h"
#include "observe/meaning_map.h"
#include "observe/objectives.h"
#include "observe/recent_traces.h"
#include "observe/request_probe.h"
#include "observe/series.h"
#include "observe/shadow.h"
#include "observe/trace_exporter.h"

namespace holdfast::observe {

struct DeskOptions {
  double price_per_hour = 0.05;  // Of a worker.
  Promise usual{};               // Where a record promises nothing of its own.
};

struct DeskParts {
  SeriesNames& names;
  const Secret& instance_key;
  const Clock& clock;
  const Ticks& ticks;
  Random& random;
  Log& log;
  Metrics& metrics;
  TraceExporter* traces = nullptr;  // Null: traces go nowhere.
  Shadow* shadow = nullptr;         // Null: no version is compared with the one before.
  MeaningMap* meanings = nullptr;   // Null: errors are gathered by script and length alone.
};

// Where every request to a model is told of when it ended: counted, logged, and handed to whoever watches. It
// waits for nothing. Safe from any thread.
class Desk {
 public:
  Desk(const DeskOptions& options, const DeskParts& parts)
      : parts_(parts),
        probe_(parts.metrics, options.price_per_hour),
        objectives_(options.usual, parts.names, parts.clock, parts.metrics),
        drift_({parts.instance_key, parts.names, parts.log, parts.metrics}) {}

  const Ticks& ticks() const { return parts_.ticks; }
  SeriesNames& names() { return parts_.names; }
  Objectives& objectives() { return objectives_; }
  Drift& drift() { return drift_; }
  const Shadow* shadow() const { return parts_.shadow; }
  const RecentTraces& recent() const { return recent_; }
  const ErrorMap& errors() const { return errors_; }
  const MeaningMap* meanings() const { return parts_.meanings; }
  const Clock& clock() const { return parts_.clock; }

  TraceContext begin(std::string_view traceparent_header, std::string_view request_id);
  void served(const Answered& answered);
  // What answers of a record's endpoint must be; anything, where nobody says.
  void expect(const std::string& record, Expected expected);
  // The gate let no version answer: counted under no series, as no model was chosen.
  void turned_away(const Error& error);

 private:
  Expected expected_of(const std::string& record) const;

  DeskParts parts_;
  mutable std::mutex mutex_;  // Guards classifiers_.
  std::set<std::string> classifiers_;
  RequestProbe probe_;
  Objectives objectives_;
  Drift drift_;
  RecentTraces recent_;
  ErrorMap errors_;
};

}  // namespace holdfast::observe
