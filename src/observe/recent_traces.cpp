#include "observe/recent_traces.h"

#include "observe/request_spans.h"

namespace holdfast::observe {
namespace {

KeptTrace shown(const TraceRecord& record) {
  return {.request = std::string(record.request),
          .trace = std::string(record.trace),
          .user = std::string(record.user),
          .model = std::string(record.model),
          .deployment = std::string(record.deployment),
          .record = std::string(record.record),
          .release = record.numbers.release,
          .status = record.numbers.status,
          .spans = request_spans(record)};
}

}  // namespace

void RecentTraces::keep(const TraceRecord& record) {
  std::lock_guard lock(mutex_);
  if (kept_.size() < kept_max_) {
    kept_.emplace_back();
    record.pack(kept_.back());
    return;
  }
  record.pack(kept_[next_]);
  next_ = (next_ + 1) % kept_max_;
}

std::shared_ptr<const KeptTrace> RecentTraces::find(std::string_view id, const MaySee& may_see) const {
  std::vector<std::string> found;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = kept_.size(); i-- > 0;) {  // The newest first.
      const std::string& packed = kept_[(next_ + i) % kept_.size()];
      const TraceRecord record = TraceRecord::unpack(packed);
      if (record.request == id || record.trace == id) found.push_back(packed);
    }
  }
  for (const std::string& packed : found) {
    auto one = std::make_shared<const KeptTrace>(shown(TraceRecord::unpack(packed)));
    if (may_see(*one)) return one;
  }
  return nullptr;
}

size_t RecentTraces::size() const {
  std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace holdfast::observe
