#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/outside_secrets.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "net/client.h"
#include "repo/checks.h"

namespace holdfast::api {
class UpstreamDoor;
}
namespace holdfast::cli {
class Instance;
}
namespace holdfast::exchange {
class Mirror;
class Upstreams;
class Webhooks;
}  // namespace holdfast::exchange
namespace holdfast::identity {
class Secrets;
}
namespace holdfast::repo {
class Kinship;
struct Hub;
}  // namespace holdfast::repo

namespace holdfast::app {

// May webhooks tell servers in private networks?
enum class PrivateWebhooks : uint8_t { refused, allowed };

struct ExchangingParts {
  cli::Instance& instance;
  repo::Hub& hub;
  net::Client& any_address;
  net::Client& public_addresses;
  const SecretOptions& secrets;
  PrivateWebhooks private_webhooks = PrivateWebhooks::refused;
  repo::CheckPolicy policy;
  repo::Checks::IsLiveToken is_live_token;
  const Clock& clock;
  Random& random;
  Log& log;
};

// Everything that calls other servers on this hub's own account: the secrets store, upstream hubs, webhooks.
// Owns their threads, which end with it.
class Exchanging {
 public:
  virtual ~Exchanging() = default;
  virtual identity::Secrets& secrets() = 0;
  virtual exchange::Upstreams& upstreams() = 0;
  virtual exchange::Mirror& mirror() = 0;
  virtual exchange::Webhooks& webhooks() = 0;
  virtual repo::Kinship& kinship() = 0;
  virtual api::UpstreamDoor& upstream_door() = 0;
  // Once the server's address is known, which what webhooks are told begins with.
  virtual void start_webhooks(const std::string& public_url) = 0;
};
Result<std::unique_ptr<Exchanging>> start_exchanging(const ExchangingParts& parts);

}  // namespace holdfast::app
