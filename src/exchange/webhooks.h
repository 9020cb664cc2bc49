#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/caller.h"

namespace holdfast::sql {
class Database;
class Row;
}  // namespace holdfast::sql

namespace holdfast::exchange {

// What a webhook looks at: "model", "ns/name", or all of a "user" or an "org".
struct Watched {
  std::string type, name;
};

struct Webhook {
  std::string id{};
  identity::UserId owner{};
  std::string url{};
  std::vector<Watched> watched{};
  std::vector<std::string> domains{};  // "repo", "discussion"
  Secret secret{};                     // Signs deliveries; may be empty.
  bool disabled = false;
};

// Absent members stay as they are.
struct WebhookChange {
  std::optional<std::string> url{};
  std::optional<std::vector<Watched>> watched{};
  std::optional<std::vector<std::string>> domains{};
  std::optional<Secret> secret{};
};

// One telling of one event, tried until it is taken or given up.
struct Delivery {
  int64_t id = 0;
  std::string webhook{}, event{}, body{};
  std::string state{};  // "pending", "delivered", "failed"
  int64_t attempts = 0;
  int64_t status = 0;    // Of the last answer; 0: none came.
  std::string answer{};  // Its first bytes, or why there is none.
  WallTime created{}, next{}, ended{};
};

// The webhooks of users and the log of what was delivered to them. Each is its owner's alone: another's is
// not_found. Secrets lie sealed. Safe from any thread.
class Webhooks {
 public:
  Webhooks(sql::Database& database, const Clock& clock, Random& random, Secret sealing_key)
      : database_(database), clock_(clock), random_(random), key_(std::move(sealing_key)) {}

  Result<std::vector<Webhook>> list(const identity::Caller& caller);
  Result<Webhook> find(const identity::Caller& caller, std::string_view id);
  Result<Webhook> create(const identity::Caller& caller, const Webhook& wish);
  Result<Webhook> change(const identity::Caller& caller, std::string_view id, const WebhookChange& change);
  enum class Switch : uint8_t { on, off };
  Result<Webhook> turn(const identity::Caller& caller, std::string_view id, Switch to);
  Status remove(const identity::Caller& caller, std::string_view id);

  Result<std::vector<Delivery>> deliveries(const identity::Caller& caller, std::string_view id);
  // Once more, as a delivery of its own.
  Result<int64_t> replay(const identity::Caller& caller, std::string_view id, int64_t delivery);

  // For the sender: all that are on, and one whatever its owner.
  Result<std::vector<Webhook>> live();
  Result<std::optional<Webhook>> find(std::string_view id);

 private:
  Result<std::vector<Webhook>> read(std::string_view where, std::string_view text, int64_t number);
  Status store(const Webhook& webhook);

  sql::Database& database_;
  const Clock& clock_;
  Random& random_;
  Secret key_;
};

}  // namespace holdfast::exchange
