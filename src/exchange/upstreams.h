#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "repo/repository.h"

namespace holdfast::identity {
class Accounts;
class Audit;
}  // namespace holdfast::identity
namespace holdfast::sql {
class Database;
}

namespace holdfast::exchange {

// Whether main goes with the upstream's, or stays at what was first taken over until somebody says otherwise.
enum class Follow : uint8_t { pinned, upstream };

// A hub that this one stands in front of.
struct Upstream {
  std::string name{};        // 1 to 96 of [A-Za-z0-9_.-]
  std::string url{};         // http or https, without a last slash.
  std::string secret{};      // Name of its token in the secrets store; empty: asked anonymously.
  std::string namespaces{};  // "demo, lab=their-lab": the namespaces here, and what each is called there.
  std::string allow = "*";   // Patterns of names there, separated by commas: "demo/*".
  std::string deny{};
  repo::Visibility visibility = repo::Visibility::public_;  // Of what is taken over.
  Follow follow = Follow::pinned;
  std::chrono::milliseconds every{};  // How often it is looked at again; zero: never.
  uint64_t bytes_max = 0;             // Of one revision; zero: no bound but the disk's.
  std::string by{};
  WallTime updated{};
};

// Where a repository of this hub is found upstream.
struct UpstreamPlace {
  Upstream upstream;
  std::string remote;  // "ns/name" there.
};

// The upstreams that administrators named. Safe from any thread.
class Upstreams {
 public:
  Upstreams(sql::Database& database, identity::Accounts& accounts, const identity::Audit& audit,
            const Clock& clock)
      : database_(database), accounts_(accounts), audit_(audit), clock_(clock) {}

  // Makes or replaces it. Namespaces that do not exist become organisations without members, so that nobody
  // else can take them; bad_request for one that is a user's or another upstream's.
  Status set(std::string_view actor, const Upstream& upstream);
  Result<std::vector<Upstream>> list();  // By name.
  Result<Upstream> find(std::string_view name);
  Status remove(std::string_view actor, std::string_view name);

  // The namespace as an organisation without members, unless it is one already; bad_request for a user's.
  Status take_namespace(std::string_view actor, std::string_view ns, std::string_view fullname,
                        repo::Visibility visibility);

  // Which upstream stands behind this place, whatever its rules say; nullopt: none.
  Result<std::optional<UpstreamPlace>> behind(std::string_view ns, std::string_view name);

 private:
  Status take_namespaces(std::string_view actor, const Upstream& upstream);

  sql::Database& database_;
  identity::Accounts& accounts_;
  const identity::Audit& audit_;
  const Clock& clock_;
};

// ok, or policy_refused with the rule in words.
Status check_rules(const UpstreamPlace& place);
// The host in its address, in lower case: what its secret must be meant for.
std::string host_of(std::string_view url);

// "demo, lab=their-lab" read.
struct NamespacePair {
  std::string here, there;
};
Result<std::vector<NamespacePair>> parse_namespaces(std::string_view text);

}  // namespace holdfast::exchange
