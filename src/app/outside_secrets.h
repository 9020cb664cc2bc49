#pragma once

#include <functional>
#include <optional>
#include <string>

#include "identity/secrets.h"
#include "net/client.h"

namespace holdfast::app {

// Where secrets outside of the database lie, as `holdfast serve` was told.
struct SecretOptions {
  std::string key_file;                     // Of the store's key; empty: the data folder's own.
  std::string vault_url, vault_token_file;  // HashiCorp Vault, KV version 2; empty: none.
  std::function<std::optional<std::string>(const std::string&)> environment;
};

// Reads them: a variable of this process, the first line of a file, a field in Vault (which is asked through
// `client`, borrowed).
identity::OutsideSecrets outside_secrets(const SecretOptions& options, net::Client& client);

}  // namespace holdfast::app
