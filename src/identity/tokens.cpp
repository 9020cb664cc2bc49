#include "identity/tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/option_value.h"
#include "codec/hmac.h"
#include "identity/account_rows.h"
#include "identity/caller_cache.h"
#include "identity/generation.h"
#include "identity/names.h"
#include "identity/scope.h"
#include "identity/token_rows.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr std::string_view value_start = "hf_";
constexpr size_t value_letters = 34, value_bytes_min = 8, value_bytes_max = 256, label_bytes_max = 96,
                 found_in_bytes_max = 500;

Error wrong() { return fail(Reason::bad_credentials, "Invalid credentials in Authorization header"); }

Status check_value(std::string_view value) {
  const bool printable =
      std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (value.size() < value_bytes_min || value.size() > value_bytes_max || !value.starts_with(value_start) ||
      !printable)
    return fail(Reason::bad_request,
                fmt::format("a token's value is '{}' and more, {} to {} printable characters", value_start,
                            value_bytes_min, value_bytes_max));
  return Done{};
}

// A bound token is for machines that run what was approved: one that could write could copy what it may not
// fetch to where it may.
Status check_environment(const NewToken& wish) {
  if (wish.environment.empty()) return Done{};
  TRY_DONE(check_account_name(wish.environment));
  bool reads_only = wish.role != TokenRole::write;
  for (const Scope& scope : wish.scopes)
    for (const Grant grant : grants_of(scope))
      reads_only = reads_only && (grant == Grant::content_read || grant == Grant::infer);
  if (!reads_only)
    return fail(Reason::bad_request,
                "a token bound to an environment reads and infers only: role read, or "
                "scopes with repo.content.read and infer");
  return Done{};
}

Status check_wish(const NewToken& wish, WallTime now) {
  TRY_DONE(check_display_text(wish.label, label_bytes_max, "label"));
  if (wish.label.empty()) return fail(Reason::bad_request, "a token needs a label");
  if (wish.role != TokenRole::fine_grained && !wish.scopes.empty())
    return fail(Reason::bad_request, "only a fine-grained token has scopes");
  if (wish.scopes.size() > scopes_max)
    return fail(Reason::bad_request, fmt::format("a token has at most {} scopes", scopes_max));
  for (const Scope& scope : wish.scopes) TRY_DONE(check_scope(scope));
  if (wish.expires && *wish.expires <= now)
    return fail(Reason::bad_request, "the token would be expired already");
  if (wish.value) TRY_DONE(check_value(wish.value->reveal()));
  return check_environment(wish);
}

bool is_live(const TokenInfo& token, WallTime now) {
  return !token.revoked && (!token.ends || now < *token.ends);
}

// Who has the value of a token may know why it does nothing more, and what to do.
Error ended(const TokenInfo& token) {
  if (token.ends_by.empty())
    return fail(Reason::bad_credentials, fmt::format("This token (number {}) expired at {}: make a new one",
                                                     token.id.raw, format_time(*token.ends)));
  return fail(
      Reason::bad_credentials,
      fmt::format("This token (number {}) was made at {} and ended at {}, because {} lets a token work for "
                  "{}: make a new one, or have it rotated",
                  token.id.raw, format_time(token.created), format_time(*token.ends), token.ends_by,
                  format_duration(*token.ends - token.created)));
}

AuditEntry audit_entry(std::string_view actor, std::string_view action, const TokenInfo& token) {
  std::string scopes;
  for (const Scope& scope : token.scopes) scopes += (scopes.empty() ? "" : " ") + scope_text(scope);
  AuditEntry entry{.actor = std::string(actor),
                   .action = std::string(action),
                   .subject = token.user_name,
                   .details = {{"token", std::to_string(token.id.raw)},
                               {"label", token.label},
                               {"role", std::string(token_role_name(token.role))}}};
  if (!scopes.empty()) entry.details.emplace_back("scopes", std::move(scopes));
  if (!token.environment.empty()) entry.details.emplace_back("environment", token.environment);
  if (token.expires) entry.details.emplace_back("expires", format_time(*token.expires));
  return entry;
}

class StoredTokens final : public Tokens {
 public:
  StoredTokens(sql::Database& database, const Audit& audit, const Clock& clock, Random& random,
               const Secret& instance_key, const TokensOptions& options)
      : database_(database),
        audit_(audit),
        clock_(clock),
        random_(random),
        key_(instance_key),
        cache_(options.cached_max, options.staleness_max, options.last_used_step) {}
  ~StoredTokens() override { write_uses(cache_.take_uses()); }

  Result<IssuedToken> create(std::string_view actor, const NewToken& wish) override {
    TRY_DONE(check_wish(wish, clock_.wall()));
    IssuedToken issued{.info = {}, .value = wish.value ? *wish.value : new_value()};
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      TRY(const User user, user_named(tx, wish.user));
      issued.info = TokenInfo{.id = {},
                              .user = user.id,
                              .user_name = user.name,
                              .label = wish.label,
                              .role = wish.role,
                              .scopes = wish.scopes,
                              .created = clock_.wall(),
                              .expires = wish.expires,
                              .environment = wish.environment};
      TRY_DONE(insert_token(tx, digest_of(issued.value.reveal()), issued.info));
      TRY(issued.info, token_numbered(tx, issued.info.id));  // With the rules that it falls under.
      return audit_.append(tx, audit_entry(actor, "token.created", issued.info));
    }));
    return issued;
  }

  Result<Caller> authenticate(std::string_view value) override {
    if (!check_value(value).ok()) return wrong();
    const TokenDigest digest = digest_of(value);
    const auto now = clock_.now();
    if (cache_.is_stale(now)) {
      const auto generation = database_.read<int64_t>(read_generation);
      if (generation.ok())
        cache_.saw(generation.value(), now);
      else if (!cache_.holds_without(now))
        return generation.error();
    }
    std::optional<CheckedToken> checked = cache_.find(digest);
    const WallTime wall = clock_.wall();
    if (!checked || (checked->ends && wall >= *checked->ends)) {
      TRY(checked, look_up(digest));
    }
    if (!checked) return wrong();
    write_uses(cache_.used(checked->caller.token, wall, now));
    return std::move(checked->caller);
  }

  Result<Caller> caller(TokenId id) override {
    return database_.read<Caller>([&](sql::Transaction& tx) -> Result<Caller> {
      const auto info = token_numbered(tx, id);
      if (!info.ok()) return info.error().code == Code::not_found ? wrong() : info.error();
      if (info.value().revoked) return wrong();
      if (!is_live(info.value(), clock_.wall())) return ended(info.value());
      TRY(auto found, caller_of(tx, info.value()));
      if (!found) return wrong();
      return std::move(*found);
    });
  }

  Result<TokenInfo> find(TokenId id) override {
    write_uses(cache_.take_uses());
    return database_.read<TokenInfo>([&](sql::Transaction& tx) { return token_numbered(tx, id); });
  }

  Result<std::vector<TokenInfo>> list(std::optional<UserId> user) override {
    write_uses(cache_.take_uses());
    return database_.read<std::vector<TokenInfo>>(
        [&](sql::Transaction& tx) { return list_tokens(tx, user); });
  }

  Status revoke(std::string_view actor, TokenId id) override {
    return change([&](sql::Transaction& tx) -> Status {
      TRY(const TokenInfo token, token_numbered(tx, id));
      if (token.revoked) {
        if (token.found_in.empty()) return Done{};
        TRY_DONE(tx.run("UPDATE identity_tokens SET found_in = '' WHERE id = ?", {id.raw}));
        return Done{};
      }
      TRY_DONE(end(tx, id, "revoked", clock_.wall()));
      return audit_.append(tx, audit_entry(actor, "token.revoked", token));
    });
  }

  Status revoke_leaked(TokenId id, std::string_view found_in) override {
    size_t size = std::min(found_in.size(), found_in_bytes_max);
    while (size < found_in.size() && size > 0 && (found_in[size] & 0xC0) == 0x80)
      --size;  // Whole characters.
    const std::string where(size == 0 ? "a text" : found_in.substr(0, size));
    return change([&](sql::Transaction& tx) -> Status {
      TRY(const TokenInfo token, token_numbered(tx, id));
      if (token.revoked) return Done{};
      TRY_DONE(end(tx, id, "revoked", clock_.wall()));
      TRY_DONE(tx.run("UPDATE identity_tokens SET found_in = ? WHERE id = ?", {where, id.raw}));
      AuditEntry entry = audit_entry("(scan)", "token.revoked", token);
      entry.details.emplace_back("found_in", where);
      return audit_.append(tx, entry);
    });
  }

  Result<std::vector<TokenInfo>> leaked(UserId user) override {
    return database_.read<std::vector<TokenInfo>>(
        [&](sql::Transaction& tx) { return list_leaked(tx, user); });
  }

  Result<std::vector<TokenInfo>> ageing(UserId user) override {
    TRY(std::vector<TokenInfo> tokens,
        database_.read<std::vector<TokenInfo>>([&](sql::Transaction& tx) { return list_current(tx, user); }));
    const WallTime now = clock_.wall();
    std::erase_if(tokens, [&](const TokenInfo& each) { return !each.is_ageing(now); });
    return tokens;
  }

  Result<IssuedToken> rotate(std::string_view actor, TokenId id, WallTime old_until,
                             std::optional<Secret> value) override {
    if (value) TRY_DONE(check_value(value->reveal()));
    IssuedToken issued{.info = {}, .value = value ? std::move(*value) : new_value()};
    TRY_DONE(change([&](sql::Transaction& tx) -> Status {
      const WallTime now = clock_.wall();
      TRY(const TokenInfo old, token_numbered(tx, id));
      if (old.revoked || (old.expires && *old.expires <= now))
        return fail(Reason::precondition_failed, "the token is revoked or expired");
      issued.info = old;
      issued.info.created = now;
      issued.info.last_used = std::nullopt;
      TRY_DONE(insert_token(tx, digest_of(issued.value.reveal()), issued.info));
      TRY(issued.info, token_numbered(tx, issued.info.id));
      TRY_DONE(
          tx.run("UPDATE identity_tokens SET replaced_by = ? WHERE id = ?", {issued.info.id.raw, id.raw}));
      if (old_until <= now) {
        TRY_DONE(end(tx, id, "revoked", now));
      } else if (!old.expires || old_until < *old.expires) {
        TRY_DONE(end(tx, id, "expires", old_until));
      }
      AuditEntry entry = audit_entry(actor, "token.rotated", issued.info);
      entry.details.emplace_back("replaces", std::to_string(id.raw));
      entry.details.emplace_back("old_until", format_time(std::max(old_until, now)));
      return audit_.append(tx, entry);
    }));
    return issued;
  }

  Result<std::optional<TokenInfo>> find_value(std::string_view value) override {
    if (!check_value(value).ok()) return std::optional<TokenInfo>();
    const TokenDigest digest = digest_of(value);
    TRY(auto found, database_.read<std::optional<TokenInfo>>(
                        [&](sql::Transaction& tx) { return token_of_digest(tx, digest); }));
    if (found && !is_live(*found, clock_.wall())) found.reset();
    return found;
  }

 private:
  // Letters alone, so that the value looks like the tokens that secret scanners know: 194 bits.
  Secret new_value() {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string value(value_start);
    for (size_t i = 0; i < value_letters; ++i) value += alphabet[random_.below(alphabet.size())];
    return Secret(std::move(value));
  }

  TokenDigest digest_of(std::string_view value) const {
    return codec::hmac_sha256(as_bytes(key_.reveal()), as_bytes(value));
  }

  // nullopt: no such token, or one that is revoked or whose user is disabled.
  Result<std::optional<CheckedToken>> look_up(const TokenDigest& digest) {
    std::optional<CheckedToken> checked;
    int64_t generation = 0;
    TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
      TRY(generation, read_generation(tx));  // Of the same moment as the rows.
      TRY(const auto token, token_of_digest(tx, digest));
      if (!token || token->revoked) return Done{};
      TRY(auto caller, caller_of(tx, *token));
      if (!caller) return Done{};
      if (!is_live(*token, clock_.wall())) return ended(*token);
      checked = CheckedToken{std::move(*caller), token->ends};
      return Done{};
    }));
    if (checked) cache_.keep(digest, *checked, generation);
    return checked;
  }

  // A write after which no cached answer is used again, here at once.
  Status change(const std::function<Status(sql::Transaction&)>& work) {
    int64_t generation = 0;
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(work(tx));
      TRY_DONE(raise_generation(tx));
      TRY(generation, read_generation(tx));
      return Done{};
    }));
    cache_.saw(generation, clock_.now());
    return Done{};
  }

  static Status end(sql::Transaction& tx, TokenId id, std::string_view column, WallTime at) {
    TRY_DONE(tx.run(fmt::format("UPDATE identity_tokens SET {} = ? WHERE id = ?", column),
                    {int64_t{at.time_since_epoch().count()}, id.raw}));
    return Done{};
  }

  // Losing this is no reason to refuse a caller, so errors are dropped: a full disk still lets people in to
  // read.
  void write_uses(const CallerCache::LastUses& uses) {
    if (uses.empty()) return;
    (void)database_
        .write([&](sql::Transaction& tx) -> Status {
          for (const auto& [token, at] : uses) TRY_DONE(end(tx, token, "last_used", at));
          return Done{};
        })
        .ok();
  }

  sql::Database& database_;
  const Audit& audit_;
  const Clock& clock_;
  Random& random_;
  const Secret key_;
  CallerCache cache_;
};

}  // namespace

std::unique_ptr<Tokens> make_tokens(sql::Database& database, const Audit& audit, const Clock& clock,
                                    Random& random, const Secret& instance_key, TokensOptions options) {
  return std::make_unique<StoredTokens>(database, audit, clock, random, instance_key, options);
}

}  // namespace holdfast::identity
