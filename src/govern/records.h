#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "govern/access.h"
#include "govern/decisions.h"
#include "govern/rows.h"

namespace holdfast::repo {
class Repositories;
class Rights;
}  // namespace holdfast::repo

namespace holdfast::govern {

// What a put came to: the record as it is now, or what is wrong with the text, field by field.
struct PutRecord {
  std::optional<StoredRecord> stored;
  bool created = false;
  std::vector<FieldProblem> problems;
};

// The registry's records and what is set for a record as a whole: criteria, freeze. Safe from any thread.
class Records {
 public:
  Records(sql::Database& database, const RegistryAccess& access, repo::Repositories& repositories,
          repo::Rights& rights, const Decisions& decisions)
      : database_(database),
        access_(access),
        repositories_(repositories),
        rights_(rights),
        decisions_(decisions) {}

  // `text`: YAML or JSON. conflict when it would lower the tier or change the model of a record with live
  // releases.
  Result<PutRecord> put(const identity::Caller& caller, const std::string& id, std::string_view text);
  Result<StoredRecord> find(const identity::Caller& caller, const std::string& id) const;
  Result<std::vector<StoredRecord>> list(const identity::Caller& caller) const;

  Result<Criteria> add_criteria(const identity::Caller& caller, const std::string& id,
                                const boost::json::object& body);
  Result<std::vector<Criteria>> criteria(const identity::Caller& caller, const std::string& id) const;

  enum class Freezing : uint8_t { freeze, unfreeze };
  Status set_frozen(const identity::Caller& caller, const std::string& id, Freezing what,
                    std::string_view reason);
  // In the transaction of what made it necessary.
  Status freeze(sql::Transaction& tx, const std::string& id, std::string_view actor,
                std::string_view reason) const;

 private:
  Status check_live(sql::Transaction& tx, const StoredRecord& before, const Record& after) const;

  sql::Database& database_;
  const RegistryAccess& access_;
  repo::Repositories& repositories_;
  repo::Rights& rights_;
  const Decisions& decisions_;
};

// A reason that a person gave: not empty, at most 2,000 bytes. bad_request names the field.
Status check_reason(std::string_view reason);

}  // namespace holdfast::govern
