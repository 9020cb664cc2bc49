#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/context.h"
#include "base/ticks.h"
#include "observe/endpoint_probes.h"
#include "observe/probe_teller.h"
#include "observe/series.h"
#include "serve/release_gate.h"

namespace holdfast::observe {

// Asks endpoints past their gates and outside of all figures; api/ gives the implementation.
class EndpointAsker {
 public:
  virtual ~EndpointAsker() = default;
  // What answers there now. None where nothing does: it is paused, scaled to zero, loading, or gone; an asker
  // wakes nobody.
  virtual Result<std::optional<serve::ReleaseAnswer>> standing(const std::string& endpoint) = 0;
  virtual Result<std::string> ask(const Context& context, const std::string& endpoint,
                                  const std::string& path, const std::string& body) = 0;
};

// Puts the questions of endpoints without a record to whatever answers there. The first answer of a revision
// is what its later ones are held to, unless one was stated. Used by one thread.
class EndpointProber {
 public:
  struct Parts {
    sql::Database& database;
    EndpointAsker& asker;
    SeriesNames& names;
    const Ticks& ticks;
    Log& log;
    Metrics& metrics;
  };
  explicit EndpointProber(const Parts& parts) : parts_(parts), teller_(parts.log, parts.metrics) {}

  // Once around. An endpoint that fails does not keep the rest from being asked.
  Status tick(const std::stop_token& stop);

 private:
  Status look_at(const std::string& endpoint, const std::stop_token& stop);
  Status ask(const std::string& endpoint, size_t position, EndpointProbe probe,
             const serve::ReleaseAnswer& by, const std::stop_token& stop, ProbeOutcome& outcome);

  Parts parts_;
  ProbeTeller teller_;
};

}  // namespace holdfast::observe
