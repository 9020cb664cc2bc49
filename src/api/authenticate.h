#pragma once

#include "base/result.h"
#include "identity/caller.h"
#include "net/message.h"

namespace holdfast::identity {
class Tokens;
}

namespace holdfast::api {

// Who sends this request: "Bearer TOKEN", or "Basic" with any user name and the token as password (as git
// does; a token given as user name with an empty password counts too). Without the header the caller is
// anonymous. Wrong credentials are bad_credentials with the one text the clients know.
Result<identity::Caller> authenticate(identity::Tokens& tokens, const net::Request& request);

}  // namespace holdfast::api
