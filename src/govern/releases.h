#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "govern/access.h"
#include "govern/checker.h"
#include "govern/decisions.h"
#include "govern/gates.h"
#include "govern/release_parts.h"
#include "govern/rows.h"

namespace holdfast::govern {

// A step that its gates did not let through: what they miss. The release is as it was.
struct Refusal {
  std::string message{};
  std::vector<Missing> missing{};
};
using Stepped = std::variant<Release, Refusal>;

struct NewEvidence {
  std::string kind{};
  boost::json::object body{};
  std::vector<boost::json::object> rows{};
};

// The life of releases: registered, given evidence, approved, canary, deployed, rolled back. Which step may
// follow which is release_state.h; what a step asks for is gates.h; each step and its line in the decision
// log are one transaction. Safe from any thread.
class Releases {
 public:
  struct Parts {
    sql::Database& database;
    const RegistryAccess& access;
    const Decisions& decisions;
    const ReleaseParts& parts;
    Checker& checker;
  };
  explicit Releases(const Parts& parts) : parts_(parts) {}

  // already_exists when this revision is a release of the record.
  Result<Release> create(const identity::Caller& caller, const std::string& record, std::string_view revision,
                         std::string_view note);
  Result<std::vector<Release>> list(const identity::Caller& caller, const std::string& record) const;
  Result<Facts> facts(const identity::Caller& caller, const std::string& record, int64_t number) const;

  // Kinds that the server finds out by itself are refused; so is an evaluation whose rows say otherwise than
  // its figures. `also` is done in the transaction that keeps it: both happen or neither.
  using AlsoKept = std::function<Status(sql::Transaction&, const Evidence&)>;
  Result<Evidence> add_evidence(const identity::Caller& caller, const std::string& record, int64_t number,
                                const NewEvidence& wish, const AlsoKept& also = {});
  // What a run of the golden examples gave: by the server, which ran them itself. The caller is checked
  // before.
  Result<Evidence> add_golden_run(const std::string& record, int64_t number, const boost::json::object& body,
                                  const boost::json::array& rows, std::string_view actor);
  // data_corrupt when it is not what was stored. `rows` get its rows, one JSON text each, where they are
  // wanted.
  struct FullEvidence {
    Evidence evidence;
    std::string record;
    std::string rows;  // JSON array
  };
  Result<FullEvidence> find_evidence(const identity::Caller& caller, int64_t id) const;

  Result<Release> approve(const identity::Caller& caller, const std::string& record, int64_t number,
                          std::string_view role, std::string_view reason);
  Result<Release> reject(const identity::Caller& caller, const std::string& record, int64_t number,
                         std::string_view role, std::string_view reason);
  enum class Verb : uint8_t { validate, canary, deploy, promote };
  Result<Stepped> step(const identity::Caller& caller, const std::string& record, int64_t number, Verb verb,
                       std::string_view reason);
  Result<Release> retire(const identity::Caller& caller, const std::string& record, int64_t number,
                         std::string_view reason);
  // By a person. `to`: which release takes over; 0: as the record says.
  Result<Release> roll_back(const identity::Caller& caller, const std::string& record, int64_t number,
                            int64_t to, std::string_view reason);
  // In the transaction of what found it out. Returns the number of the release that answers from now on, 0
  // for none.
  Result<int64_t> roll_back(sql::Transaction& tx, const Record& record, const Release& release, int64_t to,
                            std::string_view actor, std::string_view reason) const;

 private:
  Result<Stepped> step(sql::Transaction& tx, const identity::Caller& caller, const Facts& facts, Verb verb,
                       std::string_view reason) const;
  Status insert_evidence(sql::Transaction& tx, const std::string& record, Evidence& evidence,
                         const std::string& rows) const;
  Status compare(sql::Transaction& tx, const std::string& record, const Evidence& evaluation,
                 const boost::json::array& rows) const;
  Status check_approver(sql::Transaction& tx, const identity::Caller& caller, const Facts& facts,
                        std::string_view role) const;

  Parts parts_;
};

// What `promote` would do next; nullopt: nothing.
std::optional<Step> next_step(const Facts& facts, bool something_deployed);

}  // namespace holdfast::govern
