#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

struct Hub;

// A repository whose main the checks hold.
struct HeldRevision {
  Repository repository;
  std::string commit{};
  WallTime since{};       // Of its verdict.
  std::string verdict{};  // RevisionVerdict.json
};

struct HeldRevisions {
  std::vector<HeldRevision> held{};  // Newest first, at most 500.
  size_t unseen = 0;  // Repositories whose main has no verdict yet; 1,000 stands for more, too.
};

// All that is held now, by the rules and the policy of now. What nobody looked at yet is looked at a few at a
// time, each time this is asked. Whether the asker may see them is the caller's question. Any thread.
Result<HeldRevisions> held_revisions(sql::Database& database, Hub& hub);

}  // namespace holdfast::repo
