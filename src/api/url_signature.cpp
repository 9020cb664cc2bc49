#include "api/url_signature.h"

#include <charconv>

#include "codec/hex.h"
#include "codec/hmac.h"

namespace holdfast::api {
namespace {

constexpr std::string_view signature_word = "&signature=";

Error not_signed() { return fail(Reason::forbidden, "This address was not signed here, or was changed"); }

}  // namespace

UrlSignature::UrlSignature(const Secret& instance_key, std::string_view purpose) {
  const auto derived = codec::hmac_sha256(as_bytes(instance_key.reveal()),
                                          as_bytes("holdfast signed address: " + std::string(purpose)));
  key_.assign(derived.begin(), derived.end());
}

std::string UrlSignature::signature_of(std::string_view method, std::string_view target) const {
  // No method holds a line end, so the two cannot run into each other.
  const std::string text = std::string(method) + "\n" + std::string(target);
  return codec::to_hex(codec::hmac_sha256(key_, as_bytes(text)));
}

std::string UrlSignature::sign(std::string_view method, std::string_view path, codec::FormPairs words,
                               WallTime expires) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(expires.time_since_epoch()).count();
  words.emplace_back("expires", std::to_string(seconds));
  std::string target(path);
  char separator = '?';
  for (const auto& [name, value] : words) {
    target += separator + codec::percent_encode(name) + "=" + codec::percent_encode(value);
    separator = '&';
  }
  return target + std::string(signature_word) + signature_of(method, target);
}

Result<net::Query> UrlSignature::check(const net::Request& request, WallTime now) const {
  const std::string_view whole = request.target;
  const size_t at = whole.rfind(signature_word);
  if (at == std::string_view::npos) return not_signed();
  const std::string_view given = whole.substr(at + signature_word.size()), target = whole.substr(0, at);
  const std::string expected = signature_of(request.method == "HEAD" ? "GET" : request.method, target);
  if (!codec::equal_in_constant_time(as_bytes(given), as_bytes(expected))) return not_signed();
  net::Query query = request.query();
  const std::string_view text = query.get("expires");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return not_signed();
  if (std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count() >= seconds)
    return fail(Reason::forbidden, "This address has expired: ask for a new one");
  return query;
}

}  // namespace holdfast::api
