#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/accounts.h"
#include "identity/audit.h"
#include "identity/caller.h"

namespace holdfast::identity {

// One of the people that a session may act as.
struct SessionPerson {
  UserId id{};
  std::string name{}, fullname{};
};

// A browser that is signed in: who acts now, with all that user may (Caller::by_session), and whom it may
// switch to.
struct Session {
  Caller caller;
  std::vector<SessionPerson> people{};  // Enabled ones; the one who acts is among them.
  WallTime expires{};
};

// The only moment at which the value of a session, which becomes a cookie, can be seen.
struct IssuedSession {
  Session session;
  Secret value;
};

struct SessionsOptions {
  std::chrono::hours lifetime{7 * 24};     // From signing in.
  std::chrono::hours idle{24};             // Since the last use.
  std::chrono::minutes last_used_step{5};  // A use is written at most this often.
  size_t sessions_of_user_max = 50;        // Signing in once more ends the oldest.
};

inline constexpr size_t session_people_max = 8;
inline constexpr std::chrono::minutes sign_in_link_lifetime_max{24 * 60};

// Sessions of browsers, and the links that open one with a click. Values are 40 random letters, stored as
// HMAC-SHA-256 under the instance's key like tokens. app/ owns it. Safe from any thread.
class Sessions {
 public:
  virtual ~Sessions() = default;

  // For a user whose password was just checked (Accounts::check_password).
  virtual Result<IssuedSession> open(const User& user) = 0;
  // A value that opens one session, once, before `lifetime` is over: it acts as the first of `people` and may
  // switch to the others. For the command line, whose caller has the data folder anyway.
  virtual Result<Secret> make_link(std::string_view actor, std::span<const std::string> people,
                                   std::chrono::minutes lifetime) = 0;
  // bad_credentials when unknown, used or too old: the caller is not told which.
  virtual Result<IssuedSession> open_by_link(std::string_view link) = 0;
  // nullopt when unknown, over, or its user disabled.
  virtual Result<std::optional<Session>> find(std::string_view value) = 0;
  // Ends this session and opens one that acts as another of its people; not_found when it is none of them.
  virtual Result<IssuedSession> switch_to(std::string_view value, std::string_view name) = 0;
  // Signing out; nothing happens when there is none.
  virtual Status close(std::string_view value) = 0;

  // What a request that changes something must bring beside the cookie; made from the session's value and the
  // key, so it needs no row.
  virtual std::string csrf_token(std::string_view value) const = 0;
};

// All but the key is borrowed.
std::unique_ptr<Sessions> make_sessions(sql::Database& database, const Audit& audit, const Clock& clock,
                                        Random& random, const Secret& instance_key,
                                        SessionsOptions options = {});

}  // namespace holdfast::identity
