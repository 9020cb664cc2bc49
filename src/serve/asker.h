#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "serve/work.h"

namespace holdfast::serve {

// Which of one key's requests go first. Between keys it only weighs: high counts twice and low half, so that
// nobody waits for ever.
enum class Priority : uint8_t { low, normal, high };
inline constexpr int priority_count = 3;
std::optional<Priority> priority_of_name(std::string_view name);  // "low", "normal", "high"
double priority_weight(Priority priority);

enum class Caching : uint8_t { use, leave };

// On whose behalf a model is asked. What it took is added to `work`, of an answer and of a failure; null:
// nobody asks.
struct Asker {
  Asker() = default;
  Asker(Work* into) : work(into) {}  // Somebody of no key: all such share one turn.

  std::string key{};  // Keys take turns: "token:7".
  Priority priority = Priority::normal;
  Caching caching = Caching::leave;
  // A longer wait for its turn is refused, where that is foreseen; 0: it takes as long as it takes.
  std::chrono::milliseconds queue_delay_max{};
  std::string boundary{};  // Kept answers are given only to askers of the same one.
  Work* work = nullptr;
};

}  // namespace holdfast::serve
