#include "identity/sign_in_guard.h"

#include "identity/names.h"

namespace holdfast::identity {
namespace {

std::string key_of(std::string_view name, std::string_view address) {
  return lower_case(name.substr(0, 96)) + "\n" + std::string(address);
}

}  // namespace

Status SignInGuard::begin(std::string_view name, std::string_view address) {
  const std::lock_guard lock(mutex_);
  if (running_ >= options_.at_once_max)
    return fail(Reason::queue_full, "Many people are signing in right now: try again in a moment");
  if (const auto found = failures_.find(key_of(name, address)); found != failures_.end()) {
    const auto now = clock_.now();
    while (!found->second.empty() && now - found->second.front() >= options_.window)
      found->second.pop_front();
    if (found->second.size() >= options_.failures_max)
      return fail(Reason::rate_limited,
                  "Too many wrong passwords: wait a quarter of an hour, or ask for a sign-in link");
  }
  ++running_;
  return Done{};
}

void SignInGuard::end(std::string_view name, std::string_view address, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  --running_;
  const std::string key = key_of(name, address);
  switch (outcome) {
    case Outcome::matched:
      failures_.erase(key);
      return;
    case Outcome::failed:
      if (failures_.size() >= options_.keys_max && !failures_.contains(key)) failures_.clear();
      failures_[key].push_back(clock_.now());
      return;
  }
}

}  // namespace holdfast::identity
