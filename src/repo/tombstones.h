#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

// What is left of a deleted repository: that it was there, for those who might have seen it.
struct Tombstone {
  Repository was;  // Name, type, visibility, creator; nothing of its content.
  std::string by{};
  WallTime at{};
};

// In the transaction that deletes it: at its place, and at those that led to it.
Status bury(sql::Transaction& tx, const Repository& repository, std::string_view by, WallTime at);
// Somebody creates there again.
Status clear_tombstone(sql::Transaction& tx, std::string_view place);

Result<std::optional<Tombstone>> find_tombstone(sql::Database& database, RepoType type, std::string_view ns,
                                                std::string_view name);
// Newest first, at most 1,000.
Result<std::vector<Tombstone>> tombstones(sql::Database& database);

// "Repository lab/engine was deleted on 2026-11-21T22:50:01.000Z", as an Error of repo_not_found.
Error deleted_error(std::string_view full_name, const std::optional<WallTime>& at);

}  // namespace holdfast::repo
