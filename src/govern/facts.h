#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "govern/record.h"
#include "govern/release_state.h"

namespace holdfast::govern {

struct Criterion {
  std::string metric{};
  std::optional<double> at_least{}, at_most{};
  std::optional<double> margin{};  // Half the width of the 95 % interval that is asked for.
  std::string slice{};             // Empty: the whole split.
};

// What a release must reach, fixed before the run that is judged by it.
struct Criteria {
  int64_t number = 0;
  WallTime at{};
  std::string by{};
  std::vector<Criterion> metrics{};
  int64_t rows_min = 0;
  std::vector<std::pair<std::string, int64_t>> categories_min{};  // "sensitive" → 20 rows of kind:sensitive.
};

// One immutable piece of evidence.
struct Evidence {
  int64_t id = 0, release = 0;
  std::string kind{}, digest{}, rows_digest{}, by{};
  int64_t rows = 0;
  WallTime at{};
  boost::json::object body{};
};

struct Approval {
  std::string user{}, role{}, reason{};
  WallTime at{};
  bool new_approver = false;
};

enum class ExceptionState : uint8_t { proposed, live, expired, ended };
struct Exception {
  int64_t id = 0, release = 0;
  std::string record{}, reason{}, proposed_by{}, confirmed_by{};
  ExceptionState state = ExceptionState::proposed;
  WallTime at{}, expires{};
};

struct Release {
  std::string record{};
  int64_t number = 0;
  ReleaseState state = ReleaseState::candidate;
  int64_t repository = 0;
  std::string model{}, revision{}, digest{}, note{};
  std::string author{};                // Who registered it.
  std::vector<std::string> authors{};  // And who pushed its revision: none of them approves it.
  boost::json::object parts{};
  WallTime at{}, since{};  // Registered; in its state since.
  double percent = 0;      // Of the traffic, as canary.
  int64_t exception = 0;   // Under which it is live.
};

struct Freeze {
  std::string reason{}, by{};
  WallTime at{};
};

// All that gates look at: read in one transaction, judged without any.
struct Facts {
  Record record{};
  Release release;
  std::vector<Criteria> criteria{};  // Oldest first.
  std::vector<Evidence> evidence{};  // Of this release, oldest first.
  std::vector<Approval> approvals{};
  std::vector<std::string> roles_held{};  // Roles that somebody other than the authors holds.
  std::optional<Exception> exception{};   // A live one.
  std::optional<Freeze> freeze{};
  std::vector<int64_t> golden{};  // Examples that it must pass.
  int64_t stable = 0;             // The release that answers now, when it is another one.
  WallTime now{};
};

}  // namespace holdfast::govern
