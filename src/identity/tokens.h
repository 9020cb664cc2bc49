#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/audit.h"
#include "identity/caller.h"

namespace holdfast::identity {

// How long tokens work from when they were made. A value; kept by TokenAges.
struct AgeRule {
  std::optional<std::chrono::milliseconds> warn{};  // From this age its user is told; none: never.
  std::optional<std::chrono::milliseconds> end{};   // From this age it is refused; none: never.
  friend bool operator==(const AgeRule&, const AgeRule&) = default;
};

// What is known of a token; never its value.
struct TokenInfo {
  TokenId id{};
  UserId user{};
  std::string user_name{};
  std::string label{};
  TokenRole role = TokenRole::read;
  std::vector<Scope> scopes{};
  WallTime created{};
  std::optional<WallTime> expires{}, last_used{}, revoked{};
  std::string environment{};  // Empty: bound to none.
  std::string found_in{};     // The file or text in which a scan met its value, which ended it; else empty.
  std::optional<AgeRule> own_age{};      // Stands in place of all others.
  std::optional<TokenId> replaced_by{};  // Rotation put that one in its place.
  // By `expires` and the rules of the day: when its user is told of the end, and when it ends.
  std::optional<WallTime> warns{}, ends{};
  std::string
      ends_by{};  // Whose rule that is: "this server", an organisation, "its own rule"; empty: `expires`.

  // Its user is to do something about it: it will end by its age soon, or has. Not once it was replaced.
  bool is_ageing(WallTime now) const {
    return !revoked && !replaced_by && warns && *warns <= now && (!expires || now < *expires);
  }
  bool ended_by_age(WallTime now) const { return ends && *ends <= now && !ends_by.empty(); }
};

struct NewToken {
  std::string user{};
  std::string label{};  // 1 to 96 bytes.
  TokenRole role = TokenRole::read;
  std::vector<Scope> scopes{};  // For fine_grained, else empty; at most 100.
  std::optional<WallTime> expires{};
  std::optional<Secret> value{};  // Given from outside: "hf_" and more, 8 to 256 printable characters.
  std::string environment{};  // Binds it to one (Caller::environment); role read, or scopes that only read or
                              // infer.
};

// The only moment at which the value of a token can be seen.
struct IssuedToken {
  TokenInfo info;
  Secret value;
};

struct TokensOptions {
  // How old an answer of `authenticate` may be: a revocation by another process counts at the latest then,
  // one by this process at once. The database keeps a generation that every change to tokens, users and
  // members raises; it is asked for at most this often.
  std::chrono::milliseconds staleness_max{250};
  std::chrono::milliseconds last_used_step{60'000};
  size_t cached_max = 4096;
};

// Access tokens: "hf_" and 34 letters, stored as HMAC-SHA-256 under the instance's key (instance_key.h), so a
// copy of the database is no use without that file. app/ owns it. Safe from any thread.
class Tokens {
 public:
  virtual ~Tokens() = default;

  virtual Result<IssuedToken> create(std::string_view actor, const NewToken& wish) = 0;
  // bad_credentials when unknown, revoked or its user disabled: the caller is not told which; and when it has
  // expired or is too old, of which who has the value is told.
  virtual Result<Caller> authenticate(std::string_view value) = 0;
  // As `authenticate`, for what was signed in a token's name: tickets of other doors. Reads the database.
  virtual Result<Caller> caller(TokenId id) = 0;
  virtual Result<TokenInfo> find(TokenId id) = 0;
  // Of one user or of all, newest first; revoked ones too; at most 100,000.
  virtual Result<std::vector<TokenInfo>> list(std::optional<UserId> user) = 0;
  // One that a scan ended is no longer told of from then on.
  virtual Status revoke(std::string_view actor, TokenId id) = 0;
  // Its value lies where others read it: ends it at once, and keeps where that was for its user.
  virtual Status revoke_leaked(TokenId id, std::string_view found_in) = 0;
  // Those of a user that ended so, newest first, at most 100.
  virtual Result<std::vector<TokenInfo>> leaked(UserId user) = 0;
  // Those of a user that are ageing (TokenInfo), newest first, at most 1,000.
  virtual Result<std::vector<TokenInfo>> ageing(UserId user) = 0;
  // A new value with the same user, label, role, scopes, own age and expiry, whose age begins anew; the old
  // one works until `old_until`, if its age does not end it before. One that its age ended may be rotated.
  virtual Result<IssuedToken> rotate(std::string_view actor, TokenId id, WallTime old_until,
                                     std::optional<Secret> value) = 0;
  // The live token with this value, if there is one: for the scan of what users upload, which then revokes
  // it as leaked.
  virtual Result<std::optional<TokenInfo>> find_value(std::string_view value) = 0;
};

// All but the key is borrowed.
std::unique_ptr<Tokens> make_tokens(sql::Database& database, const Audit& audit, const Clock& clock,
                                    Random& random, const Secret& instance_key, TokensOptions options = {});

}  // namespace holdfast::identity
