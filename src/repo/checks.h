#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "repo/held_release.h"
#include "repo/repository.h"
#include "scan/card_check.h"
#include "scan/finding.h"
#include "scan/license.h"

namespace holdfast::content {
class Store;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

class Browser;

// What follows from a dangerous finding. refuse: the commit or push is refused. hold: it is taken, shown as
// held, and no gate lets it pass. warn: shown.
enum class OnFinding : uint8_t { refuse, hold, warn };
std::optional<OnFinding> on_finding_of_name(std::string_view name);

// What follows from sensitive data where it does not belong: nothing beyond what is shown, or a refusal.
enum class OnSensitive : uint8_t { warn, refuse };

// A text that is a live token of this hub is refused whatever the policy says.
struct CheckPolicy {
  OnFinding pickle = OnFinding::refuse;  // Pickles, archives and formats.
  OnFinding secrets = OnFinding::hold;
  OnFinding license = OnFinding::hold;  // A card without a licence.
  OnSensitive sensitive = OnSensitive::warn;
  ReleasePeople release = ReleasePeople::one;  // Of what is held (held_release.h).
};

enum class Standing : uint8_t { clean, warned, held };
std::string_view standing_name(Standing standing);

// What the checks say of one revision; made once for a commit and the rules' version, then kept.
struct RevisionVerdict {
  Standing standing = Standing::clean;
  std::vector<std::string> reasons{};  // Why it is held.
  std::string json = "{}";             // The whole of it: docs/api/checks.md.
};

// The checks that every change takes, by whatever door it comes, and what they say of a revision. Verdicts of
// large files are kept by digest and rules' version, so the same bytes are looked at once. Safe from any
// thread; borrows all it is given.
class Checks {
 public:
  // Asked of each text of a token's form, with the name of what it stands in.
  using IsLiveToken = std::function<bool(std::string_view text, std::string_view found_in)>;
  struct Parts {
    sql::Database& database;
    content::Store& content;
    Browser& browser;
    const Clock& clock;
  };
  explicit Checks(Parts parts) : parts_(parts) {}
  // Before the first request.
  void configure(CheckPolicy policy, IsLiveToken is_live_token);

  // policy_refused, with path, place and reason, when the files that `after` has beyond `before` may not come
  // in. `objects` sees both commits; a zero `before` is the empty tree.
  Status check_change(const git::Repository& objects, const git::ObjectId& before,
                      const git::ObjectId& after);

  // policy_refused when files that `after` has beyond `before` hold sensitive data (scan/sensitive.h) that
  // the repository was not cleared for (clearance.h). Passes everything where the policy only warns.
  Status guard_upload(const Repository& repository, const git::Repository& objects,
                      const git::ObjectId& before, const git::ObjectId& after);

  // policy_refused when a text that people write for others, named for them by `what`, holds a live token.
  Status check_text(std::string_view text, std::string_view what) const;

  const CheckPolicy& policy() const { return policy_; }

  // One that somebody released (held_release.h) is warned of instead of held; `released` of its text says
  // who.
  Result<RevisionVerdict> verdict(const Repository& repository, const git::Repository& objects,
                                  const git::ObjectId& commit);

  // The model or data set of a revision and what its card says it was made of, each with the licence its card
  // on this hub names; without one where it is not here or not to be seen by everybody.
  Result<std::vector<scan::Component>> license_parts(const Repository& repository,
                                                     const git::Repository& objects,
                                                     const git::ObjectId& commit);

 private:
  Result<std::optional<boost::json::object>> look_at(const git::Repository& objects,
                                                     const git::ObjectId& blob, const std::string& path);
  Result<boost::json::object> look_at_large(std::string_view sha256, const std::string& path);
  Result<RevisionVerdict> kept_verdict(const Repository& repository, const git::Repository& objects,
                                       const git::ObjectId& commit);
  Result<RevisionVerdict> make_verdict(const Repository& repository, const git::Repository& objects,
                                       const git::ObjectId& commit);
  bool holds_live_token(const scan::FileReport& report, std::string_view found_in) const;
  boost::json::object describe(const scan::FileReport& report, const std::string& path) const;
  int64_t rules_key() const;
  OnFinding policy_of(const boost::json::object& finding) const;

  Parts parts_;
  CheckPolicy policy_;
  IsLiveToken is_live_token_;
};

}  // namespace holdfast::repo
