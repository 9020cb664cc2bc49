#include "serve/kept_replicas.h"

#include <algorithm>

namespace holdfast::serve {

Replicas KeptReplicas::set(const ServedModel& host, const ServedModel& model, const Replicas& wish) {
  auto& wishes = wishes_[host.key()];
  if (wish == Replicas{})
    wishes.erase(model.key());
  else
    wishes[model.key()] = wish;
  if (wishes.empty()) wishes_.erase(host.key());
  return of(host).value_or(Replicas{});
}

std::optional<Replicas> KeptReplicas::of(const ServedModel& host) const {
  const auto found = wishes_.find(host.key());
  if (found == wishes_.end()) return std::nullopt;
  Replicas out = found->second.begin()->second;
  for (const auto& [model, wish] : found->second) {
    out.least = std::max(out.least, wish.least);
    out.most = std::max(out.most, wish.most);
  }
  return out;
}

}  // namespace holdfast::serve
