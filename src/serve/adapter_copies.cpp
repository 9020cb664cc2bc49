#include "serve/adapter_copies.h"

#include <algorithm>

namespace holdfast::serve {

Result<std::optional<ServedModel>> AdapterCopies::base_of(const ServedModel& model) {
  const std::string key = model.key();
  {
    std::lock_guard lock(mutex_);
    if (const auto known = bases_.find(key); known != bases_.end()) return known->second;
  }
  TRY(std::optional<ServedModel> base, adapter_host(files_, model));
  std::lock_guard lock(mutex_);
  if (bases_.size() >= known_max) bases_.clear();
  bases_.emplace(key, base);
  return base;
}

Result<ServedModel> AdapterCopies::host_of(const ServedModel& model) {
  TRY(std::optional<ServedModel> base, base_of(model));
  return base ? *std::move(base) : model;
}

std::shared_ptr<const AdapterCopy> AdapterCopies::known_copy(const ServedModel& adapter) {
  std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(copies_, [&](const auto& copy) { return copy->adapter().same_as(adapter); });
  if (found == copies_.end()) return nullptr;
  copies_.splice(copies_.begin(), copies_, found);
  return copies_.front();
}

Result<std::shared_ptr<const AdapterCopy>> AdapterCopies::get(const ServedModel& model) {
  TRY(const std::optional<ServedModel> base, base_of(model));
  if (!base) return std::shared_ptr<const AdapterCopy>();
  if (auto known = known_copy(model)) return known;
  std::lock_guard lock(making_);
  if (auto known = known_copy(model)) return known;
  // A folder of its own each time: one that is being removed is in nobody's way.
  const io::Path folder = folder_ / ("adapter-" + random_.hex(8));
  // Made first, so that the folder goes with it where the files cannot be copied.
  auto copy = std::make_shared<const AdapterCopy>(disk_, model, folder, folder / model.key());
  TRY_DONE(ensure_serving_copy(disk_, folder, files_, model, random_));
  TRY_DONE(starter_.may_use(copy->place()));
  std::shared_ptr<const AdapterCopy> oldest;  // Removed after this lock is released.
  std::lock_guard kept(mutex_);
  copies_.push_front(copy);
  if (copies_.size() > copies_max) {
    oldest = std::move(copies_.back());
    copies_.pop_back();
  }
  return copy;
}

void AdapterCopies::drop(const ServedModel& adapter) {
  std::shared_ptr<const AdapterCopy> dropped;  // As above.
  std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(copies_, [&](const auto& copy) { return copy->adapter().same_as(adapter); });
  if (found == copies_.end()) return;
  dropped = std::move(*found);
  copies_.erase(found);
}

std::vector<ServedModel> AdapterCopies::of(const ServedModel& host) const {
  std::vector<ServedModel> out;
  std::lock_guard lock(mutex_);
  for (const auto& copy : copies_) {
    const auto base = bases_.find(copy->adapter().key());
    if (base != bases_.end() && base->second && base->second->same_as(host)) out.push_back(copy->adapter());
  }
  return out;
}

}  // namespace holdfast::serve
