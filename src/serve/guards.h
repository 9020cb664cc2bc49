#pragma once

#include <chrono>
#include <map>
#include <string>

namespace holdfast::identity {
class CheckpointKey;
}

namespace holdfast::serve {

class AnswerCache;
class Fallbacks;
class Guardrails;
class Callers;
struct Capabilities;
class InputRuleBook;
class Quotas;
class WarmSchedules;

// What stands beside the way of every request to a model; borrowed by the doors, opened by app/. Null: this
// is not there.
struct Guards {
  Quotas* quotas = nullptr;
  Fallbacks* fallbacks = nullptr;
  AnswerCache* answers = nullptr;  // For what outside engines answer; our own models' is kept before them.
  InputRuleBook* input_rules = nullptr;
  Guardrails* guardrails = nullptr;
  WarmSchedules* schedules = nullptr;
  Callers* callers = nullptr;
  double price_per_second = 0;                   // Of a worker's time, in the operator's currency.
  const identity::CheckpointKey* key = nullptr;  // Signs receipts.
  enum class Retention { usual, none } retention = Retention::usual;      // None: no request's text stays.
  enum class Controls { refused, allowed } controls = Controls::refused;  // Control characters in inputs.
  // How long a request that says no deadline may wait for its turn at a model; 0: as long as it takes.
  std::chrono::milliseconds queue_delay_max{};
  std::string runtime{};                           // "holdfast 1.2 x86-64", in receipts.
  std::map<std::string, std::string> libraries{};  // That it runs with, by name; for its administrators.
  const Capabilities* capabilities = nullptr;
};

}  // namespace holdfast::serve
