#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "io/disk.h"

namespace holdfast::identity {

// Encryption of small secrets that lie in the database: XChaCha20-Poly1305 (libsodium), a fresh nonce each
// time. `name` is authenticated and not kept: what was sealed under one name opens under no other.

// 64 hexadecimal digits. `given` (the environment's or a file's) wins; otherwise the data folder's own key
// file, mode 0600 and made when it is missing, which backups leave out. data_corrupt: no such digits.
Result<Secret> open_sealing_key(io::Disk& data, Random& random, const Secret& given);

// Base64 of version, nonce and sealed bytes.
Result<std::string> seal(const Secret& key, std::string_view name, const Secret& text, Random& random);
// data_corrupt: sealed under another key or name, or changed since.
Result<Secret> unseal(const Secret& key, std::string_view name, std::string_view sealed);

}  // namespace holdfast::identity
