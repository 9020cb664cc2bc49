#pragma once

#include <string_view>

#include "base/result.h"
#include "identity/caller.h"
#include "net/message.h"

namespace holdfast::api {

struct Services;

inline constexpr std::string_view wrong_credentials_text = "Invalid credentials in Authorization header";

// Who sends this request: "Bearer TOKEN", or "Basic" with any user name and the token as password (as git
// does; a token given as user name with an empty password counts too). Without the header the caller is
// anonymous, or whoever is signed in by the session cookie (session_cookie.h); a session that is over is
// anonymous. What changes something must bring the session's CSRF token too, else it is forbidden. Wrong
// credentials are bad_credentials with the one text the clients know, or with why a token has ended.
Result<identity::Caller> authenticate(const Services& services, const net::Request& request);

}  // namespace holdfast::api
