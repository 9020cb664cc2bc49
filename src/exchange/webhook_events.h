#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "exchange/webhooks.h"
#include "identity/audit.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::repo {
struct Hub;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::exchange {

// Something that happened to a repository, or to what is a user's own, in the words of webhooks
// (hub-protocol.md 1.12).
struct WebhookEvent {
  std::string action{}, scope{};  // "update", "repo.content"
  repo::RepoType type = repo::RepoType::model;
  std::string ns{}, name{};
  std::string more{};  // Further members of the payload, as a JSON object.
  bool gone = false;   // The repository is no more.
  std::string user{};  // Not of a repository but of this user, who alone hears of it.
};

// What a line of the audit log means to webhooks; nullopt: nothing.
std::optional<WebhookEvent> event_of(const identity::AuditRow& row);

// Rows of discussions' events after `position`, which moves on.
Result<std::vector<WebhookEvent>> discussion_events(sql::Database& database, repo::Hub& hub,
                                                    const std::string& public_url, int64_t& position);

// Whether a webhook looks at this.
bool watches(const Webhook& webhook, const WebhookEvent& event);

// The payload; nullopt when the owner may not see the repository.
Result<std::optional<std::string>> payload_of(const Webhook& webhook, const WebhookEvent& event,
                                              const identity::Caller& owner, repo::Hub& hub,
                                              const std::string& public_url);

}  // namespace holdfast::exchange
