#include "identity/token_age_rows.h"

#include <algorithm>
#include <map>

#include "identity/account_rows.h"

namespace holdfast::identity {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view this_server = "this server", own_rule = "its own rule";

void keep_sooner(std::optional<WallTime>& kept, const std::optional<WallTime>& other) {
  if (other && (!kept || *other < *kept)) kept = other;
}

void apply(TokenInfo& token, const AgeRule& rule, std::string_view by) {
  if (rule.warn) keep_sooner(token.warns, token.created + *rule.warn);
  if (!rule.end) return;
  const WallTime end = token.created + *rule.end;
  if (token.ends && *token.ends <= end) return;
  token.ends = end;
  token.ends_by = by;
}

}  // namespace

std::optional<milliseconds> span_column(const sql::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return milliseconds{row.integer(column)};
}

sql::Value span_value(const std::optional<milliseconds>& span) {
  if (!span) return sql::Null{};
  return int64_t{span->count()};
}

Result<std::vector<AgeRuleInfo>> list_age_rules(sql::Transaction& tx) {
  std::vector<AgeRuleInfo> rules;
  TRY_DONE(
      tx.query("SELECT a.organisation, o.name, a.warn, a.ends, a.actor, a.updated FROM identity_token_ages a "
               "LEFT JOIN identity_organisations o ON o.id = a.organisation "
               "ORDER BY CASE WHEN a.organisation = 0 THEN 0 ELSE 1 END, o.name_key LIMIT ?",
               {accounts_listed_max}, [&](const sql::Row& row) {
                 rules.push_back({.id = OrganisationId{row.integer(0)},
                                  .organisation = row.is_null(1) ? "" : row.text(1),
                                  .rule = {span_column(row, 2), span_column(row, 3)},
                                  .actor = row.text(4),
                                  .updated = WallTime{milliseconds{row.integer(5)}}});
                 return true;
               }));
  return rules;
}

Status apply_age_rules(sql::Transaction& tx, std::span<TokenInfo> tokens, std::optional<UserId> of) {
  if (tokens.empty()) return Done{};
  TRY(const std::vector<AgeRuleInfo> rules, list_age_rules(tx));
  std::multimap<int64_t, const AgeRuleInfo*> by_member;
  const auto note = [&](const sql::Row& row) {
    const auto rule = std::ranges::find(rules, row.integer(1), [](const auto& each) { return each.id.raw; });
    if (rule != rules.end()) by_member.emplace(row.integer(0), &*rule);
    return true;
  };
  const bool of_organisations = std::ranges::any_of(rules, [](const auto& each) { return each.id.raw != 0; });
  if (of_organisations && of) {
    TRY_DONE(
        tx.query("SELECT member, organisation FROM identity_members WHERE member = ? AND organisation IN "
                 "(SELECT organisation FROM identity_token_ages)",
                 {of->raw}, note));
  } else if (of_organisations) {
    TRY_DONE(
        tx.query("SELECT member, organisation FROM identity_members WHERE organisation IN "
                 "(SELECT organisation FROM identity_token_ages)",
                 {}, note));
  }
  for (TokenInfo& token : tokens) {
    token.ends = token.expires;
    if (token.own_age) {
      apply(token, *token.own_age, own_rule);
      continue;
    }
    if (!rules.empty() && rules.front().id.raw == 0) apply(token, rules.front().rule, this_server);
    const auto [first, last] = by_member.equal_range(token.user.raw);
    for (auto each = first; each != last; ++each)
      apply(token, each->second->rule, each->second->organisation);
  }
  return Done{};
}

}  // namespace holdfast::identity
