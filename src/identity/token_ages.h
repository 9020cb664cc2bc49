#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/audit.h"
#include "identity/tokens.h"

namespace holdfast::identity {

struct AgeRuleInfo {
  OrganisationId id{};         // 0: this server's own rule.
  std::string organisation{};  // Empty: this server.
  AgeRule rule{};
  std::string actor{};
  WallTime updated{};
};

// How old tokens may become: a rule of the server for all, of an organisation for its members' tokens, of one
// token in place of both. Where several count, the sooner end and the sooner warning do. What is refused for
// its age is refused by the rule of the day: a rule that is taken back lets it work again. Changes reach a
// running server within TokensOptions::staleness_max and are in the audit log. app/ and the commands own one
// each. Safe from any thread.
class TokenAges {
 public:
  TokenAges(sql::Database& database, const Audit& audit, const Clock& clock)
      : database_(database), audit_(audit), clock_(clock) {}

  // Of this server where `organisation` is empty. An end without a warning gets one: after four fifths of it,
  // at most 14 days before. Spans of 1 s to 3,650 days.
  Result<AgeRule> set(std::string_view actor, std::string_view organisation, AgeRule rule);
  Status clear(std::string_view actor, std::string_view organisation);  // not_found where there is none.
  // A rule without warning and end frees the token of all others.
  Result<AgeRule> set_own(std::string_view actor, TokenId id, AgeRule rule);
  Status clear_own(std::string_view actor, TokenId id);
  Result<std::vector<AgeRuleInfo>> list();
  // Live tokens of enabled users that are past their end by the rules now: what a change has just ended.
  Result<size_t> ended();

  // Writes into the audit log, once each, which tokens are ageing by now and which have ended by their age:
  // webhooks of their users are sent it (exchange/). The number of rows written, at most 1,000 a call.
  Result<size_t> tell();

 private:
  sql::Database& database_;
  const Audit& audit_;
  const Clock& clock_;
};

}  // namespace holdfast::identity
