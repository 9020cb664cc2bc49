#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "serve/breaker.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::serve {

// What answers in the place of an endpoint that cannot.
struct FallbackStep {
  enum class Kind : uint8_t { model, endpoint, fixed } kind = Kind::model;
  std::string target;  // "ns/name" or "ns/name@revision", or an endpoint; of a fixed answer its JSON.
};
std::string_view fallback_kind_name(FallbackStep::Kind kind);  // "model", "endpoint", "answer"
std::optional<FallbackStep::Kind> fallback_kind_of_name(std::string_view name);

struct FallbackChain {
  std::chrono::milliseconds timeout{};  // For the endpoint itself; 0: its own.
  std::vector<FallbackStep> steps;      // In order; empty: there is none.
};

inline constexpr size_t fallback_steps_max = 8, fallback_bytes_max = 64 << 10;

// Fallback chains of endpoints, in the database and, as they were when this process last read or wrote them,
// here; and the breakers of endpoints. Safe from any thread.
class Fallbacks {
 public:
  struct Parts {
    sql::Database& database;
    const Clock& clock;
    Metrics& metrics;
  };
  static Result<std::unique_ptr<Fallbacks>> open(const Parts& parts);

  // Null where the endpoint has none.
  std::shared_ptr<const FallbackChain> chain_of(const std::string& endpoint) const;
  Status set(const std::string& endpoint, FallbackChain chain);  // Empty: none any more.

  Breakers& breakers() { return breakers_; }
  void used(FallbackStep::Kind kind) { used_[static_cast<size_t>(kind)]->add(); }
  void failed() { failed_.add(); }  // No step could answer either.

 private:
  explicit Fallbacks(const Parts& parts);

  Parts parts_;
  Breakers breakers_;
  Counter* used_[3];
  Counter& failed_;
  mutable std::mutex mutex_;  // Guards chains_.
  std::map<std::string, std::shared_ptr<const FallbackChain>> chains_;
};

}  // namespace holdfast::serve
