#include "identity/token_ages.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/option_value.h"
#include "identity/account_rows.h"
#include "identity/generation.h"
#include "identity/names.h"
#include "identity/token_age_rows.h"
#include "identity/token_rows.h"

namespace holdfast::identity {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds span_min = std::chrono::seconds(1), span_max = std::chrono::hours(24 * 3650),
                       notice_max = std::chrono::hours(24 * 14);
constexpr size_t told_a_call = 1000;

Result<AgeRule> checked(AgeRule rule) {
  for (const auto& span : {rule.warn, rule.end})
    if (span && (*span < span_min || *span > span_max))
      return fail(Reason::bad_request, "an age is 1s to 3650d");
  if (rule.end && !rule.warn) rule.warn = std::max<milliseconds>(*rule.end - notice_max, *rule.end * 4 / 5);
  if (rule.end && *rule.warn >= *rule.end)
    return fail(Reason::bad_request, "the warning is to come before the end");
  return rule;
}

std::string span_text(const std::optional<milliseconds>& span) {
  return span ? format_duration(*span) : "never";
}

AuditEntry rule_entry(std::string_view actor, std::string_view action, std::string_view subject,
                      const AgeRule& rule) {
  return {.actor = std::string(actor),
          .action = std::string(action),
          .subject = std::string(subject),
          .details = {{"warn", span_text(rule.warn)}, {"end", span_text(rule.end)}}};
}

// Checked tokens are checked again, and users are told anew: the ends have moved.
Status rules_changed(sql::Transaction& tx) {
  TRY_DONE(
      tx.run("UPDATE identity_tokens SET told_ageing = NULL, told_ended = NULL "
             "WHERE told_ageing IS NOT NULL OR told_ended IS NOT NULL"));
  return raise_generation(tx);
}

Result<Organisation> whose(sql::Transaction& tx, std::string_view organisation) {
  if (organisation.empty()) return Organisation{.id = OrganisationId{0}, .name = "(all)"};
  return organisation_named(tx, organisation);
}

Result<std::optional<milliseconds>> soonest(sql::Transaction& tx) {
  TRY(const std::vector<AgeRuleInfo> rules, list_age_rules(tx));
  std::optional<milliseconds> least;
  for (const AgeRuleInfo& each : rules)
    for (const auto& span : {each.rule.warn, each.rule.end})
      if (span && (!least || *span < *least)) least = span;
  return least;
}

}  // namespace

Result<AgeRule> TokenAges::set(std::string_view actor, std::string_view organisation, AgeRule rule) {
  if (!rule.warn && !rule.end)
    return fail(Reason::bad_request, "say from what age tokens end, or from what age their users are warned");
  TRY(const AgeRule kept, checked(rule));
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Organisation of, whose(tx, organisation));
    TRY_DONE(tx.run("DELETE FROM identity_token_ages WHERE organisation = ?", {of.id.raw}));
    TRY_DONE(tx.run(
        "INSERT INTO identity_token_ages (organisation, warn, ends, actor, updated) VALUES (?, ?, ?, ?, ?)",
        {of.id.raw, span_value(kept.warn), span_value(kept.end), actor,
         int64_t{clock_.wall().time_since_epoch().count()}}));
    TRY_DONE(rules_changed(tx));
    return audit_.append(tx, rule_entry(actor, "token_age.set", of.name, kept));
  }));
  return kept;
}

Status TokenAges::clear(std::string_view actor, std::string_view organisation) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Organisation of, whose(tx, organisation));
    TRY(const int64_t removed, tx.run("DELETE FROM identity_token_ages WHERE organisation = ?", {of.id.raw}));
    if (removed == 0) return fail(Code::not_found, "there is no such rule");
    TRY_DONE(rules_changed(tx));
    return audit_.append(tx,
                         {.actor = std::string(actor), .action = "token_age.cleared", .subject = of.name});
  });
}

Result<AgeRule> TokenAges::set_own(std::string_view actor, TokenId id, AgeRule rule) {
  TRY(const AgeRule kept, checked(rule));
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const TokenInfo token, token_numbered(tx, id));
    TRY_DONE(tx.run("UPDATE identity_tokens SET age_own = 1, age_warn = ?, age_end = ? WHERE id = ?",
                    {span_value(kept.warn), span_value(kept.end), id.raw}));
    TRY_DONE(rules_changed(tx));
    AuditEntry entry = rule_entry(actor, "token_age.set", token.user_name, kept);
    entry.details.emplace_back("token", std::to_string(id.raw));
    return audit_.append(tx, entry);
  }));
  return kept;
}

Status TokenAges::clear_own(std::string_view actor, TokenId id) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const TokenInfo token, token_numbered(tx, id));
    if (!token.own_age) return fail(Code::not_found, "this token has no rule of its own");
    TRY_DONE(tx.run("UPDATE identity_tokens SET age_own = 0, age_warn = NULL, age_end = NULL WHERE id = ?",
                    {id.raw}));
    TRY_DONE(rules_changed(tx));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "token_age.cleared",
                              .subject = token.user_name,
                              .details = {{"token", std::to_string(id.raw)}}});
  });
}

Result<std::vector<AgeRuleInfo>> TokenAges::list() {
  return database_.read<std::vector<AgeRuleInfo>>(list_age_rules);
}

Result<size_t> TokenAges::ended() {
  TRY(const auto tokens, database_.read<std::vector<TokenInfo>>(
                             [](sql::Transaction& tx) { return list_tokens(tx, std::nullopt); }));
  const WallTime now = clock_.wall();
  return static_cast<size_t>(std::ranges::count_if(tokens, [&](const TokenInfo& each) {
    return !each.revoked && !(each.expires && *each.expires <= now) && each.ended_by_age(now);
  }));
}

Result<size_t> TokenAges::tell() {
  const WallTime now = clock_.wall();
  TRY(const std::vector<TokenInfo> candidates,
      database_.read<std::vector<TokenInfo>>([&](sql::Transaction& tx) -> Result<std::vector<TokenInfo>> {
        TRY(const auto least, soonest(tx));
        return list_untold(tx, least ? now - *least : WallTime{});
      }));
  size_t told = 0;
  for (const TokenInfo& token : candidates) {
    const bool ended = token.ended_by_age(now);
    if (!token.is_ageing(now) && !ended) continue;
    if (told == told_a_call) break;
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      // One that ended while nobody looked is told of as ended alone.
      const int64_t at = now.time_since_epoch().count();
      int64_t fresh = 0;
      if (ended) {
        TRY(fresh, tx.run("UPDATE identity_tokens SET told_ageing = ?, told_ended = ? "
                          "WHERE id = ? AND told_ended IS NULL",
                          {at, at, token.id.raw}));
      } else {
        TRY(fresh, tx.run("UPDATE identity_tokens SET told_ageing = ? WHERE id = ? AND told_ageing IS NULL",
                          {at, token.id.raw}));
      }
      if (fresh == 0) return Done{};
      ++told;
      AuditEntry entry{.actor = "(age)",
                       .action = ended ? "token.ended_by_age" : "token.ageing",
                       .subject = token.user_name,
                       .details = {{"token", std::to_string(token.id.raw)},
                                   {"label", token.label},
                                   {"role", std::string(token_role_name(token.role))},
                                   {"made", format_time(token.created)}}};
      if (token.ends) entry.details.emplace_back("ends", format_time(*token.ends));
      if (!token.ends_by.empty()) entry.details.emplace_back("by", token.ends_by);
      return audit_.append(tx, entry);
    }));
  }
  return told;
}

}  // namespace holdfast::identity
