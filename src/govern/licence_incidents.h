#pragma once

#include <string_view>

#include "base/result.h"
#include "govern/facts.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

class Decisions;

// The record of each licence audit that failed: an incident of the release, open until the licences allow its
// use again or a person closes it with a reason. One at a time for a release; what a person closed comes back
// only for another cause. Safe from any thread.
class LicenceIncidents {
 public:
  LicenceIncidents(sql::Database& database, const Decisions& decisions)
      : database_(database), decisions_(decisions) {}

  Status failed(const Release& release, std::string_view why);
  Status passed(const Release& release);

 private:
  sql::Database& database_;
  const Decisions& decisions_;
};

// Whether a person with the legal role signed for a verdict like this one, after the registry's own said the
// same: then an audit that finds nothing new is passed.
bool signed_for(const Facts& facts, std::string_view why);

}  // namespace holdfast::govern
