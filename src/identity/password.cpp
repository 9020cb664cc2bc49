#include "identity/password.h"

#include <fmt/format.h>
#include <sodium.h>

#include "base/check.h"

namespace holdfast::identity {
namespace {

// Any number of times and from any thread; libsodium keeps its own guard.
void prepare() { CHECK(sodium_init() >= 0); }

}  // namespace

Result<std::string> hash_password(const Secret& password, PasswordCost cost) {
  const std::string& text = password.reveal();
  if (text.size() < password_bytes_min || text.size() > password_bytes_max)
    return fail(Reason::bad_request,
                fmt::format("a password has {} to {} bytes", password_bytes_min, password_bytes_max));
  prepare();
  char hash[crypto_pwhash_STRBYTES] = {};
  if (crypto_pwhash_str_alg(hash, text.data(), text.size(), cost.operations, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Code::unavailable, "there is not enough memory to hash a password");
  return std::string(hash);
}

bool password_matches(const std::string& hash, const Secret& password) {
  const std::string& text = password.reveal();
  if (hash.empty() || hash.size() >= crypto_pwhash_STRBYTES || text.size() > password_bytes_max) return false;
  prepare();
  char whole[crypto_pwhash_STRBYTES] = {};  // What libsodium's signature asks for.
  hash.copy(whole, sizeof whole - 1);
  return crypto_pwhash_str_verify(whole, text.data(), text.size()) == 0;
}

}  // namespace holdfast::identity
