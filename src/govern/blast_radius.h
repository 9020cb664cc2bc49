#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "repo/kinship.h"

namespace holdfast::repo {
struct Hub;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

// What stands on certain bytes: releases and endpoints whose pinned revision holds them.
struct AffectedRelease {
  std::string record{}, state{}, model{}, revision{};
  int64_t number = 0;
};
struct AffectedEndpoint {
  std::string id{}, record{}, model{}, revision{};
};
struct BlastRadius {
  std::vector<AffectedRelease> releases{};
  std::vector<AffectedEndpoint> endpoints{};
};

// `holders` as repo::Kinship finds them. Revisions are looked into, so one from before the bytes came, or
// after they went, does not count; one that is gone does, since nobody can say.
Result<BlastRadius> blast_radius(sql::Database& database, repo::Hub& hub,
                                 const std::vector<repo::Relative>& holders);

}  // namespace holdfast::govern
