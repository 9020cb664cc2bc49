#include "observe/recent_traces.h"

namespace holdfast::observe {

void RecentTraces::keep(KeptTrace trace) {
  auto kept = std::make_shared<const KeptTrace>(std::move(trace));
  std::shared_ptr<const KeptTrace> oldest;  // Destroyed after the lock is released.
  std::lock_guard lock(mutex_);
  kept_.push_back(std::move(kept));
  if (kept_.size() <= kept_max_) return;
  oldest = std::move(kept_.front());
  kept_.pop_front();
}

std::shared_ptr<const KeptTrace> RecentTraces::find(std::string_view id, const MaySee& may_see) const {
  std::vector<std::shared_ptr<const KeptTrace>> found;
  {
    std::lock_guard lock(mutex_);
    for (auto one = kept_.rbegin(); one != kept_.rend(); ++one)
      if ((*one)->request == id || (*one)->trace == id) found.push_back(*one);
  }
  for (const auto& one : found)
    if (may_see(*one)) return one;
  return nullptr;
}

size_t RecentTraces::size() const {
  std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace holdfast::observe
