#include "api/cas_token.h"

#include <fmt/format.h>

#include <charconv>

#include "codec/base64.h"
#include "codec/hmac.h"

namespace holdfast::api {
namespace {

constexpr std::string_view version = "xet1";
constexpr size_t token_bytes_max = 4096;

std::string encode(ByteView bytes) {
  return codec::base64_encode(bytes, codec::Base64Alphabet::url, codec::Base64Padding::bare);
}

Error wrong() { return fail(Reason::bad_credentials, "Invalid or expired access token for Xet storage"); }

// Takes the text up to the next line end.
std::string_view next_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

bool read_number(std::string_view text, int64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

CasTokens::CasTokens(const Secret& instance_key) {
  const auto derived =
      codec::hmac_sha256(as_bytes(instance_key.reveal()), as_bytes("holdfast xet access token"));
  key_.assign(derived.begin(), derived.end());
}

std::string CasTokens::issue(const CasClaims& claims) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(claims.expires.time_since_epoch()).count();
  // The revision comes last: it is the one text that others choose.
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", version, claims.scope == CasScope::write ? "write" : "read",
                  claims.repository.raw, claims.user.raw, claims.token.raw, seconds, claims.revision);
  return encode(as_bytes(text)) + "." + encode(codec::hmac_sha256(key_, as_bytes(text)));
}

Result<CasClaims> CasTokens::read(std::string_view token, WallTime now) const {
  const size_t dot = token.find('.');
  if (dot == std::string_view::npos || token.size() > token_bytes_max) return wrong();
  const auto text = codec::base64_decode(token.substr(0, dot), codec::Base64Alphabet::url);
  const auto signature = codec::base64_decode(token.substr(dot + 1), codec::Base64Alphabet::url);
  if (!text.ok() || !signature.ok()) return wrong();
  if (!codec::equal_in_constant_time(signature.value(), codec::hmac_sha256(key_, text.value())))
    return wrong();

  std::string_view rest = as_text(text.value());
  if (next_line(rest) != version) return wrong();
  CasClaims claims;
  claims.scope = next_line(rest) == "write" ? CasScope::write : CasScope::read;
  int64_t seconds = 0;
  for (int64_t* number : {&claims.repository.raw, &claims.user.raw, &claims.token.raw, &seconds})
    if (!read_number(next_line(rest), *number)) return wrong();
  claims.revision = rest;
  claims.expires = WallTime(std::chrono::seconds(seconds));
  if (now >= claims.expires) return wrong();
  return claims;
}

}  // namespace holdfast::api
