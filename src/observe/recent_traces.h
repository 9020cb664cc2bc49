#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "observe/span.h"
#include "observe/trace_record.h"

namespace holdfast::observe {

// What a page shows of one request: its spans and whose it was; nothing that was asked or answered.
struct KeptTrace {
  std::string request, trace;  // Alike, unless the caller brought a trace of its own.
  std::string user, model, deployment;
  std::string record;  // Empty: no record governs the model.
  int64_t release = 0;
  int status = 0;
  std::vector<Span> spans{};  // The server's first, then its stages.
};

// The traces of the newest requests, in memory: gone with the process, the oldest first when there are too
// many. Safe from any thread.
class RecentTraces {
 public:
  explicit RecentTraces(size_t kept_max = 1024) : kept_max_(kept_max) {}

  void keep(const TraceRecord& record);
  // The newest of this request or trace that `may_see` lets through; null where there is none. Ids may be
  // chosen by callers: several can bear the same.
  using MaySee = std::function<bool(const KeptTrace&)>;
  std::shared_ptr<const KeptTrace> find(std::string_view id, const MaySee& may_see) const;
  size_t size() const;

 private:
  const size_t kept_max_;
  mutable std::mutex mutex_;       // Guards the two below.
  std::vector<std::string> kept_;  // Packed; a ring once it is full, whose places are written over.
  size_t next_ = 0;                // The oldest, there.
};

}  // namespace holdfast::observe
