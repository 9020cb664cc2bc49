#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::serve {

// What an endpoint takes.
struct InputRules {
  enum class Signs : uint8_t { pass, count, refuse } signs = Signs::count;  // Of prompt_check.h.
  std::vector<std::string> languages;  // ISO 639-1; empty: any. A text whose language is not sure is let in.
  int64_t characters_max = 0;          // Of one text; 0: as many as the model takes.
  friend bool operator==(const InputRules&, const InputRules&) = default;
};
std::string_view signs_name(InputRules::Signs signs);  // "pass", "count", "refuse"

// Rules of endpoints, in the database and, as this process last read or wrote them, here. Safe from any
// thread.
class InputRuleBook {
 public:
  // `usual` holds where an endpoint has none of its own, and for models that are asked by their names.
  static Result<std::unique_ptr<InputRuleBook>> open(sql::Database& database, InputRules usual);

  std::shared_ptr<const InputRules> rules_of(const std::string& endpoint) const;  // Never null.
  Status set(const std::string& endpoint, InputRules rules);
  Status forget(const std::string& endpoint);

 private:
  InputRuleBook(sql::Database& database, InputRules usual)
      : database_(database), usual_(std::make_shared<const InputRules>(std::move(usual))) {}

  sql::Database& database_;
  const std::shared_ptr<const InputRules> usual_;
  mutable std::mutex mutex_;  // Guards rules_.
  std::map<std::string, std::shared_ptr<const InputRules>> rules_;
};

}  // namespace holdfast::serve
