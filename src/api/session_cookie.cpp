#include "api/session_cookie.h"

#include <fmt/format.h>

#include <chrono>

namespace holdfast::api {
namespace {

std::string cookie(std::string_view value, int64_t seconds, std::string_view base_url) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", session_cookie_name, value,
                     seconds, base_url.starts_with("https:") ? "; Secure" : "");
}

}  // namespace

std::optional<std::string_view> session_cookie_of(const net::Request& request) {
  for (const auto& [name, value] : request.headers.fields()) {
    if (!net::same_name(name, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      const size_t equals = pair.find('=');
      if (equals != std::string_view::npos && pair.substr(0, equals) == session_cookie_name)
        return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

std::string session_cookie(const identity::IssuedSession& issued, WallTime now, std::string_view base_url) {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(issued.session.expires - now);
  return cookie(issued.value.reveal(), left.count(), base_url);
}

std::string ended_session_cookie(std::string_view base_url) { return cookie("", 0, base_url); }

}  // namespace holdfast::api
