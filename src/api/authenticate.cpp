#include "api/authenticate.h"

#include <optional>
#include <string>

#include "api/services.h"
#include "api/session_cookie.h"
#include "base/secret.h"
#include "codec/base64.h"
#include "identity/sessions.h"
#include "identity/tokens.h"

namespace holdfast::api {
namespace {

constexpr size_t credentials_bytes_max = 4096;

Error wrong() { return fail(Reason::bad_credentials, std::string(wrong_credentials_text)); }

bool same_word(std::string_view given, std::string_view lower) {
  if (given.size() != lower.size()) return false;
  for (size_t i = 0; i < given.size(); ++i)
    if ((given[i] | 0x20) != lower[i]) return false;
  return true;
}

std::optional<std::string> token_of(std::string_view header) {
  const size_t space = header.find(' ');
  if (space == std::string_view::npos || header.size() > credentials_bytes_max) return std::nullopt;
  const std::string_view scheme = header.substr(0, space);
  std::string_view rest = header.substr(space + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (same_word(scheme, "bearer")) return std::string(rest);
  if (!same_word(scheme, "basic")) return std::nullopt;
  const auto decoded = codec::base64_decode(rest);
  if (!decoded.ok()) return std::nullopt;
  const std::string_view pair = as_text(decoded.value());
  const size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view password = pair.substr(colon + 1);
  return std::string(password.empty() ? pair.substr(0, colon) : password);
}

// Another site can make a browser send the cookie, but cannot read the CSRF token.
Result<identity::Caller> caller_of_session(identity::Sessions& sessions, const net::Request& request) {
  const auto cookie = session_cookie_of(request);
  if (!cookie) return identity::Caller{};
  TRY(auto session, sessions.find(*cookie));
  if (!session) return identity::Caller{};
  const bool only_reads = request.method == "GET" || request.method == "HEAD";
  if (!only_reads && !Secret(sessions.csrf_token(*cookie)).matches(request.headers.get(csrf_header)))
    return fail(Reason::forbidden, "The page is out of date: load it again, then repeat this");
  return std::move(session->caller);
}

}  // namespace

Result<identity::Caller> authenticate(const Services& services, const net::Request& request) {
  const auto header = request.headers.find("Authorization");
  if (!header) return caller_of_session(services.sessions, request);
  const auto token = token_of(*header);
  if (!token || token->empty()) return wrong();
  return services.tokens.authenticate(*token);
}

}  // namespace holdfast::api
