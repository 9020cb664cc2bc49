#pragma once

#include <optional>
#include <span>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "repo/card.h"
#include "repo/repository.h"

namespace holdfast::content {
struct FileInfo;
class Store;
}  // namespace holdfast::content
namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

struct HeldFile;

// What listings and info show of each repository, kept in SQL for the head of main and read from the files
// for other revisions. Parameter counts are kept by file, so that a commit reads only headers it brings. Safe
// from any thread.
class CardIndex {
 public:
  CardIndex(sql::Database& database, content::Store& content) : database_(database), content_(content) {}

  // `coming`: files whose repository rows are not written yet.
  Result<Card> describe(const Repository& repository, const git::Repository& objects,
                        const git::ObjectId& commit, std::span<const HeldFile> coming = {});
  Result<std::optional<Card>> read(RepoId repository);
  static Status store(sql::Transaction& tx, RepoId repository, const Card& card);

 private:
  Status count_parameters(const Repository& repository, const git::Repository& objects,
                          std::span<const std::pair<std::string, git::ObjectId>> files,
                          std::span<const HeldFile> coming, Card& card);
  Result<std::string> tensor_counts(const content::FileInfo& file);

  sql::Database& database_;
  content::Store& content_;
};

}  // namespace holdfast::repo
