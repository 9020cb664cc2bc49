#include "api/known_endpoints.h"

#include <fmt/format.h>

#include "base/reason.h"
#include "identity/outage.h"

namespace holdfast::api {

bool is_outage(const Error& error) {
  const ErrorClass error_class = reason_row(error.code, error.reason).error_class;
  return error_class == ErrorClass::dependency || error_class == ErrorClass::server;
}

std::string KnownEndpoints::key(const Call& call, std::string_view endpoint) {
  const auto said = [&](std::string_view header) { return call.request.headers.get(header); };
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", call.caller.user.raw, call.caller.token.raw, endpoint,
                     call.caller.environment, said("X-Holdfast-Feature"), said("X-Holdfast-Data-Class"));
}

Result<KnownEndpoints::Known> KnownEndpoints::settle(const std::string& key, Result<Known> found) {
  const auto now = clock_.now();
  std::lock_guard lock(mutex_);
  if (found.ok()) {
    if (entries_.size() >= entries_max && !entries_.contains(key)) entries_.clear();
    entries_[key] = {found.value(), now};
    return found;
  }
  const auto known = entries_.find(key);
  if (known == entries_.end()) return found;
  if (is_outage(found.error()) && now - known->second.at <= identity::outage_max) return known->second.known;
  entries_.erase(known);
  return found;
}

bool KnownEndpoints::knows(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const auto known = entries_.find(key);
  return known != entries_.end() && clock_.now() - known->second.at <= identity::outage_max;
}

}  // namespace holdfast::api
