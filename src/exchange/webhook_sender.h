#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/secret.h"

namespace holdfast::identity {
class Accounts;
class Audit;
}  // namespace holdfast::identity
namespace holdfast::net {
class Client;
}
namespace holdfast::repo {
struct Hub;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::exchange {

class Webhooks;

struct WebhookSenderParts {
  Webhooks& webhooks;
  sql::Database& database;
  identity::Accounts& accounts;
  const identity::Audit& audit;
  repo::Hub& hub;
  net::Client& client;  // Its policy says whether private addresses may be told.
  std::string public_url;
  const Clock& clock;
  Log& log;
  Metrics& metrics;
};

// Makes deliveries of what the audit log and the discussions say happened, and sends them: signed, one at a
// time for each webhook, again after a while when they are not taken, seven times in all. Owns its threads.
class WebhookSender {
 public:
  virtual ~WebhookSender() = default;
};
std::unique_ptr<WebhookSender> start_webhook_sender(const WebhookSenderParts& parts);

// One round each, for the threads above and for tests: reads what happened since the last round, then sends
// what is due. Returns whether there was anything to do.
Result<bool> collect_events(const WebhookSenderParts& parts);
Result<bool> send_due(const WebhookSenderParts& parts);

// "t=UNIX_SECONDS,v1=HEX": HMAC-SHA-256 under the webhook's secret of "UNIX_SECONDS.BODY".
std::string webhook_signature(const Secret& secret, int64_t unix_seconds, std::string_view body);

}  // namespace holdfast::exchange
