#pragma once

#include "observe/desk.h"
#include "observe/standing.h"

namespace holdfast::govern {
struct Registry;
}

namespace holdfast::observe {

// What is done again and again beside the requests: objectives are taken from the records and shown, releases
// are frozen where a budget burns more than four times too fast, the standing of what is live is read, inputs
// are compared with what they were, answers with those of the version before. One thread calls tick, about
// once a second.
class Rounds {
 public:
  struct Parts {
    Desk& desk;
    Shadow* shadow = nullptr;  // With its asker; null: nothing is compared.
    ShadowAsker* asker = nullptr;
    sql::Database& database;
    govern::Registry& registry;
    LicenceAuditor& auditor;
    const Clock& clock;
    Log& log;
    Metrics& metrics;
  };
  explicit Rounds(const Parts& parts);

  Status tick();
  // At the end: what the next start takes up.
  Status finish();

 private:
  Status freeze(const govern::LiveSnapshot& live, const std::string& record);

  static constexpr std::chrono::seconds standing_step{15};
  static constexpr int64_t saving_ticks = 5;
  Parts parts_;
  Standing standing_;
  bool loaded_ = false;
  int64_t ticks_ = 0;
  int64_t generation_ = -1;
  std::chrono::milliseconds standing_at_{0};
};

}  // namespace holdfast::observe
