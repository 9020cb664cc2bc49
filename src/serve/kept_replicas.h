#pragma once

#include <map>
#include <optional>
#include <string>

#include "serve/scaling.h"
#include "serve/serving_copy.h"

namespace holdfast::serve {

// How many workers are kept for whom. Several adapters have one host: what is kept for it is the most that
// any of them, or the host for itself, wants. Not safe from several threads.
class KeptReplicas {
 public:
  // The default ends it. Returns what holds for the host now.
  Replicas set(const ServedModel& host, const ServedModel& model, const Replicas& wish);
  // Nothing where nobody said anything.
  std::optional<Replicas> of(const ServedModel& host) const;

 private:
  std::map<std::string, std::map<std::string, Replicas>> wishes_;  // By the host's key, by the model's.
};

}  // namespace holdfast::serve
