#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "git/object_id.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

class Browser;
class Repositories;
class Revisions;
class Storage;

// What an adapter changes: one commit of one model.
struct AdapterBase {
  RepoId repository;
  std::string name;    // "ns/name", as it is called now.
  std::string commit;  // 40 hex digits.

  friend bool operator==(const AdapterBase&, const AdapterBase&) = default;
};

// Which models are adapters, and of what. An adapter is a revision with PEFT's adapter_config.json and no
// weights of a whole model; its base is what that file names, or else its card's base_model. Which commit of
// the base: the file's `revision`, or what main was when anybody first asked, which is kept for that commit
// of the adapter from then on, so that an answer does not change when the base does. Safe from any thread.
class AdapterBases {
 public:
  struct Parts {
    sql::Database& database;
    const Storage& storage;
    Browser& browser;
    Repositories& repositories;
    Revisions& revisions;
    const Clock& clock;
  };
  explicit AdapterBases(const Parts& parts) : parts_(parts) {}

  // Nothing for what is no adapter; asks the database once for each commit. model_unsupported, with its name,
  // where the base is not here or is an adapter itself. Whether who asks may see the base is the caller's
  // question.
  Result<std::optional<AdapterBase>> find(const Repository& adapter, const git::ObjectId& commit);

 private:
  static constexpr size_t known_max = 4096;

  Result<std::optional<AdapterBase>> look(const Repository& adapter, const git::ObjectId& commit);
  Result<std::optional<AdapterBase>> kept(RepoId adapter, const std::string& commit) const;
  Result<AdapterBase> keep(RepoId adapter, const std::string& commit, const Repository& base,
                           const std::string& base_commit) const;
  Result<AdapterBase> with_name(RepoId base, const std::string& commit) const;

  const Parts parts_;
  std::mutex mutex_;                                                               // Guards known_.
  std::map<std::pair<int64_t, git::ObjectId>, std::optional<AdapterBase>> known_;  // Never changes.
};

}  // namespace holdfast::repo
