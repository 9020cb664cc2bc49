#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "exchange/hub_client.h"
#include "exchange/upstreams.h"
#include "identity/caller.h"
#include "io/disk.h"
#include "net/message.h"
#include "repo/checks.h"
#include "repo/repository.h"

namespace holdfast::content {
class Store;
}
namespace holdfast::identity {
class Audit;
class Secrets;
}  // namespace holdfast::identity
namespace holdfast::net {
class Client;
}
namespace holdfast::repo {
struct Hub;
}

namespace holdfast::exchange {

// A revision that is being taken over, as of one moment.
struct IncomingRevision {
  int64_t id = 0;
  std::string upstream{}, remote{};  // "hub", "demo/bert"
  repo::RepoType type = repo::RepoType::model;
  std::string ns{}, name{};     // Here.
  std::string asked{};          // "main", a tag, a commit.
  std::string remote_commit{};  // What that was.
  std::string state{};          // "fetching", "done", "quarantined", "failed"
  std::string detail{};         // Why, for people.
  std::string commit{};         // Here, once done.
  std::string digest{}, license{};
  uint64_t bytes = 0, bytes_here = 0;
  WallTime started{}, ended{};
};

// What a door answers from while it comes.
struct ArrivingRevision {
  int64_t id = 0;
  std::string commit{};  // Of the upstream.
  repo::Visibility visibility = repo::Visibility::public_;
  WallTime since{};
  std::shared_ptr<const std::vector<RemoteFile>> files{};
};

// A folder of this machine as a revision of a repository that is not here yet, or that came so before.
struct FolderRevision {
  io::Disk& disk;     // Its root is the folder.
  std::string title;  // What the origin says it was called.
  repo::RepoType type = repo::RepoType::model;
  std::string ns{}, name{};
  std::string revision{};  // What it is called at its source: 40 digits.
};

struct MirrorParts {
  Upstreams& upstreams;
  identity::Secrets& secrets;
  net::Client& client;  // Operators name upstreams, so it may reach any address.
  repo::Hub& hub;
  content::Store& content;
  io::Disk& disk;  // The data folder.
  sql::Database& database;
  const identity::Audit& audit;
  repo::CheckPolicy policy{};
  const Clock& clock;
  Log& log;
  Metrics& metrics;
};

// The pull-through cache: revisions of upstreams' repositories that somebody asks for are listed, fetched
// once however many ask, checked, and published whole; until then whoever asked is answered from what has
// come. Owns its threads; safe from any.
class Mirror {
 public:
  virtual ~Mirror() = default;

  // For what this hub does not have: nullopt when no upstream stands behind the place, or the caller may not
  // read what would lie there. Errors are the upstream's own (repo_not_found, gated …), timed_out when it
  // does not answer, policy_refused for rules, quarantine and tokens bound to an environment.
  virtual Result<std::optional<ArrivingRevision>> find(const identity::Caller& caller, repo::RepoType type,
                                                       std::string_view ns, std::string_view name,
                                                       std::string_view revision) = 0;
  // The bytes of a file of it: text when it is small and whole, else a body that is pushed as they come,
  // whose end waits for the file's digest and scan. Waits a few seconds for the first byte, at most.
  using Bytes = std::variant<std::string, std::shared_ptr<net::PushedBody>>;
  virtual Result<Bytes> read(int64_t revision, std::string_view path, uint64_t offset, uint64_t length) = 0;

  // Waits for it to be published, at most `span`; false: not yet. Its failure, where it failed.
  virtual Result<bool> wait_until_published(int64_t revision, std::chrono::milliseconds span) = 0;

  // Starts it in the background; the same as the first request would.
  virtual Result<int64_t> start(repo::RepoType type, std::string_view ns, std::string_view name,
                                std::string_view revision) = 0;
  // Takes a folder of this machine over (folder_arrival.h), before it returns.
  virtual Status take_folder(const FolderRevision& folder) = 0;
  virtual Result<std::vector<IncomingRevision>> list(std::string_view state) = 0;  // Newest first; "": all.
  virtual Result<IncomingRevision> show(int64_t revision) = 0;
  // All that was taken over into a repository, newest first.
  virtual Result<std::vector<IncomingRevision>> taken_over(repo::RepoId repository) = 0;
  // Of a quarantined one: publishes it all the same, with the reason in the audit log.
  virtual Status release(const identity::Caller& caller, int64_t revision, std::string_view reason) = 0;
  // Cancels one that comes, or throws away what is quarantined or failed: its bytes, and that it was there.
  virtual Status discard(const identity::Caller& caller, int64_t revision) = 0;
  // Looks at the upstream of a repository now: what changed there, or "" for nothing.
  virtual Result<std::string> sync(const repo::Repository& repository) = 0;
};
Result<std::unique_ptr<Mirror>> open_mirror(const MirrorParts& parts,
                                            repo::Checks::IsLiveToken is_live_token);

}  // namespace holdfast::exchange
