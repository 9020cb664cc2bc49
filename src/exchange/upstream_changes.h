#pragma once

#include <optional>
#include <string>

#include "exchange/hub_client.h"
#include "exchange/mirror.h"
#include "exchange/upstreams.h"

namespace holdfast::exchange {

// What happened to a repository upstream since it was taken over.
struct UpstreamChange {
  std::string what{};                      // "license, tokenizer", "removed"; empty: nothing.
  std::optional<RemoteRevision> remote{};  // The head of main there, unless it is removed.
};

// Compares what the upstream has with what lies here. A change is one line of the audit log for the
// repository ("mirror.upstream_changed") and one for every repository whose card names it as its base or its
// data ("mirror.dependency_changed"): webhooks and the registry hear of both. The same change is told once.
Result<UpstreamChange> look_for_changes(HubClient& hub, const repo::Repository& repository,
                                        const UpstreamPlace& place, const MirrorParts& parts);

// The time of the last look; `known`: whether the repository is still here.
Status note_checked(sql::Database& database, int64_t repository, int64_t now_unix_ms, bool known);

}  // namespace holdfast::exchange
