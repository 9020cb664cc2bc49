#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/audit.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::identity {

// Where a secret's value lies: sealed in the database, or outside, read whenever it is needed.
enum class SecretPlace : uint8_t { stored, environment, file, vault };
std::string_view secret_place_name(SecretPlace place);
std::optional<SecretPlace> secret_place_of_name(std::string_view name);

// What is told of a secret; never its value.
struct SecretEntry {
  std::string name{};
  SecretPlace place = SecretPlace::stored;
  std::string reference{};  // Of one outside: the variable, the file, "MOUNT/PATH#FIELD" in Vault.
  std::string host{};       // The only host it is sent to; empty: any.
  std::string by{};         // Who set it.
  WallTime updated{};
};

struct NewSecret {
  std::string name{};  // 1 to 96 of [A-Za-z0-9_.-]
  SecretPlace place = SecretPlace::stored;
  std::string reference{};
  std::string host{};
  Secret value{};  // Of a stored one.
};

// How values outside are read; an absent one answers not_offered.
struct OutsideSecrets {
  using Read = std::function<Result<Secret>(const std::string& reference)>;
  Read environment{}, file{}, vault{};
};

// The secrets store: tokens and passwords for what this server calls. Administrators put them in, services
// take them out by name; no door gives a value back. Stored values are sealed (sealed.h), changes are
// audited without them. Safe from any thread.
class Secrets {
 public:
  Secrets(sql::Database& database, const Audit& audit, const Clock& clock, Random& random, Secret sealing_key,
          OutsideSecrets outside = {})
      : database_(database),
        audit_(audit),
        clock_(clock),
        random_(random),
        key_(std::move(sealing_key)),
        outside_(std::move(outside)) {}

  // Makes it or replaces it.
  Status set(std::string_view actor, const NewSecret& wish);
  Result<std::vector<SecretEntry>> list();  // By name.
  Status remove(std::string_view actor, std::string_view name);

  // The value, to be sent to `host`. Code::not_found: no such secret; policy_refused: meant for another host.
  Result<Secret> reveal(std::string_view name, std::string_view host);

 private:
  struct Row {
    SecretEntry entry;
    std::string sealed;
  };
  Result<Row> find(std::string_view name);

  sql::Database& database_;
  const Audit& audit_;
  const Clock& clock_;
  Random& random_;
  Secret key_;
  OutsideSecrets outside_;
};

}  // namespace holdfast::identity
