#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "govern/live.h"
#include "identity/caller.h"
#include "observe/series.h"
#include "serve/release_gate.h"

namespace holdfast::observe {

// Asks an earlier version what was asked of a later one; api/ gives the implementation, which counts and
// keeps nothing of it.
class ShadowAsker {
 public:
  virtual ~ShadowAsker() = default;
  virtual Result<std::string> ask(const serve::ServedCall& call, const identity::Caller& caller,
                                  const serve::ReleaseAnswer& earlier) = 0;
};

// How often the release that answers disagrees with the one before it, on a sample of what classifiers are
// asked: a canary with the stable one, the stable one with the one it replaced. Needs no truth. `offer` is
// the requests' and waits for nothing; `tick` asks, a few a second at most. Safe from any thread.
class Shadow {
 public:
  struct Parts {
    govern::LiveReleases& live;
    SeriesNames& names;
    Random& random;
    Log& log;
    Metrics& metrics;
  };
  // `percent` of the answers; 0: none.
  Shadow(const Parts& parts, double percent);

  static constexpr size_t waiting_max = 64, call_bytes_max = 64 << 10, runs_max = 8;  // A tick.

  void offer(const serve::ServedCall& call, const identity::Caller& caller);
  Status tick(ShadowAsker& asker);

  struct Figures {
    int64_t release = 0, earlier = 0;  // Of the newest comparison.
    int64_t compared = 0, disagreed = 0;
  };
  Figures figures(const std::string& record) const;  // Of its newest release that was compared.

 private:
  struct Waiting {
    serve::ServedCall call;
    identity::Caller caller;
  };
  // By what the last tick saw; a release that came since then counts as worth it. Under mutex_.
  bool worth_asking(const serve::ReleaseAnswer& by) const;
  Status compare(ShadowAsker& asker, const govern::Release& earlier, const Waiting& one);
  void count(const std::string& record, int64_t release, int64_t earlier, int64_t compared,
             int64_t disagreed);

  Parts parts_;
  const double share_;
  Counter &failed_, &crowded_;
  mutable std::mutex mutex_;                          // Guards the three below.
  std::shared_ptr<const govern::LiveSnapshot> last_;  // So that the queue holds what can be compared alone.
  std::deque<Waiting> waiting_;
  std::map<std::string, Figures> figures_;
};

}  // namespace holdfast::observe
