#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "identity/sessions.h"
#include "net/message.h"

namespace holdfast::api {

// The cookie that says which session a browser is in: HttpOnly, SameSite=Strict, and Secure over HTTPS. Pages
// read the CSRF token from GET /api/session and send it back in this header.
inline constexpr std::string_view session_cookie_name = "holdfast_session";
inline constexpr std::string_view csrf_header = "X-Holdfast-CSRF";

// The value of the first cookie of that name.
std::optional<std::string_view> session_cookie_of(const net::Request& request);
// The value of Set-Cookie. `base_url` is where the browser sees us (Call::base_url).
std::string session_cookie(const identity::IssuedSession& issued, WallTime now, std::string_view base_url);
std::string ended_session_cookie(std::string_view base_url);

}  // namespace holdfast::api
