#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::api {

enum class CasScope : uint8_t { read, write };  // write includes read.

// What a token of the CAS says. It stands for a hub token, so that revoking that one ends this one as well.
struct CasClaims {
  CasScope scope = CasScope::read;
  repo::RepoId repository{};
  std::string revision{};     // As the client named it.
  identity::UserId user{};    // 0: anonymous.
  identity::TokenId token{};  // 0: anonymous.
  WallTime expires{};         // Whole seconds.
};

// Makes and reads these tokens: claims in plain text and an HMAC-SHA-256 over them, both base64url, with a
// dot between; nothing is kept. The key is derived from the instance's. Immutable; safe from any thread.
class CasTokens {
 public:
  explicit CasTokens(const Secret& instance_key);
  std::string issue(const CasClaims& claims) const;
  // bad_credentials when it is not ours, was changed or is too old.
  Result<CasClaims> read(std::string_view token, WallTime now) const;

 private:
  Bytes key_;
};

}  // namespace holdfast::api
