#pragma once

#include <boost/json/fwd.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::serve {

// One look at what an endpoint is asked or answers: by words, by the forms of secrets, or by another
// endpoint's model. Exactly one of the three.
struct GuardStage {
  enum class Place : uint8_t { before, after } place = Place::before;
  std::vector<std::string> words;  // Words or phrases that no text may have.
  bool secrets = false;
  std::string endpoint;                                                      // "ns/name" that is asked,
  enum class Ask : uint8_t { labels, moderations, chat } ask = Ask::labels;  // in this way.
  // Of a model: what its labels must not be, from `threshold` on, or what its best one must be. Of chat: how
  // an answer begins that finds something.
  std::vector<std::string> labels, allow;
  double threshold = 0.5;
  enum class Then : uint8_t { refuse, flag } then = Then::refuse;
  enum class Failing : uint8_t { closed, open } failing = Failing::closed;  // When it cannot look.
  std::chrono::milliseconds timeout{2'000};
  friend bool operator==(const GuardStage&, const GuardStage&) = default;
};
using GuardStages = std::vector<GuardStage>;

std::string_view guard_place_name(GuardStage::Place place);  // "before", "after"
inline constexpr size_t guard_stages_max = 8;

// {"place": "before", "words": ["…"]}, as docs/serving.md says; bad_request names what is wrong.
Result<GuardStage> read_guard_stage(const boost::json::value& value);
boost::json::object guard_stage_json(const GuardStage& stage);

// The stages of endpoints, in the database and, as this process last read or wrote them, here. Safe from any
// thread.
class Guardrails {
 public:
  static Result<std::unique_ptr<Guardrails>> open(sql::Database& database);

  std::shared_ptr<const GuardStages> stages_of(const std::string& endpoint) const;  // Null: there are none.
  Status set(const std::string& endpoint, GuardStages stages);                      // Empty: none any more.

 private:
  explicit Guardrails(sql::Database& database) : database_(database) {}

  sql::Database& database_;
  mutable std::mutex mutex_;  // Guards stages_.
  std::map<std::string, std::shared_ptr<const GuardStages>> stages_;
};

}  // namespace holdfast::serve
