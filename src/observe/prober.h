#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stop_token>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "govern/facts.h"
#include "observe/probe_teller.h"
#include "observe/series.h"

namespace holdfast::govern {
class ReleaseAskers;
struct GoldenExample;
struct Registry;
}  // namespace holdfast::govern

namespace holdfast::observe {

// Synthetic traffic: puts golden examples to every version that answers or is about to (deployed, canary,
// approved and waiting), past the gates, so that one that stopped answering is seen before a caller meets it.
// What it asks is counted here and nowhere else: not as a request, not against an objective, a quota or a
// canary, and it is not kept. Used by one thread.
class Prober {
 public:
  struct Parts {
    govern::Registry& registry;
    govern::ReleaseAskers& askers;
    SeriesNames& names;
    Log& log;
    Metrics& metrics;
  };
  explicit Prober(const Parts& parts) : parts_(parts), teller_(parts.log, parts.metrics) {}

  // Once around: so many examples of each version, others at the next time. A version that fails does not
  // keep the rest from being asked. `stop` is looked at before every example.
  static constexpr size_t examples_a_round = 8;
  Status tick(const std::stop_token& stop);

 private:
  ProbeOutcome ask(const govern::Release& release, std::span<const govern::GoldenExample> examples,
                   const std::stop_token& stop);

  Parts parts_;
  ProbeTeller teller_;
  std::map<std::string, size_t> next_;  // Example, by record.
};

}  // namespace holdfast::observe
