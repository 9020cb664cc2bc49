#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace holdfast::identity {

// Cost of argon2id; libsodium's "interactive" by default: about 0.1 s and 64 MiB a check.
struct PasswordCost {
  uint64_t operations = 2;
  size_t memory_bytes = 64 << 20;
};

inline constexpr size_t password_bytes_min = 8, password_bytes_max = 1024;

// The string form "$argon2id$v=19$m=…,t=…,p=1$salt$hash"; the salt is libsodium's own. bad_request outside of
// the lengths.
Result<std::string> hash_password(const Secret& password, PasswordCost cost);
bool password_matches(const std::string& hash, const Secret& password);

}  // namespace holdfast::identity
