#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast {
class Random;
}
namespace holdfast::identity {
class Permission;
}
namespace holdfast::sql {
class Database;
class Row;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

class Rights;

// One entry of a collection. A repository is kept by its id, so an entry follows it through moves and goes
// with it.
struct CollectionItem {
  std::string id;     // 24 hexadecimal digits.
  std::string type;   // "model", "dataset", "space", "paper", "collection".
  std::string name;   // Now: "ns/name" of a repository, the number of a paper, the slug of a collection.
  std::string title;  // Of a collection; empty otherwise.
  std::string note;
  std::optional<Repository> repository{};
};

struct Collection {
  std::string id;  // 24 hexadecimal digits, the end of every slug it ever had.
  std::string owner, creator;
  std::string title, description, theme;
  Visibility visibility = Visibility::public_;
  int64_t position = 0;  // Among the owner's, from 0.
  WallTime updated{};
  std::vector<CollectionItem> items{};  // In their order; of those, what the asker may see.

  // "owner/title-in-letters-and-digits-ID".
  std::string slug() const;
};

struct NewCollection {
  std::string owner;  // A user or an organisation, spelt as the account is.
  std::string title, description;
  Visibility visibility = Visibility::public_;
};

// Absent members stay as they are.
struct CollectionChange {
  std::optional<std::string> title, description, theme;
  std::optional<Visibility> visibility;
  std::optional<int64_t> position;
};

struct CollectionQuery {
  enum class Sort : uint8_t { last_modified, position };
  std::vector<std::string> owners{};  // None: everybody's.
  // "models/ns/name" and the like; those that have any of them.
  std::vector<std::string> items{};
  Sort sort = Sort::last_modified;
  int64_t skip = 0, count_max = 100;
};

inline constexpr size_t collection_title_bytes_max = 240, collection_text_bytes_max = 2000,
                        collection_items_max = 1000;

// Lists of repositories and papers that a user or an organisation keeps, as the hub's clients know them
// (hub-protocol.md 1.12). What a caller may not see is not_found, entries as much as collections. Those may
// change one who may write in the owner's namespace. Safe from any thread.
class Collections {
 public:
  Collections(sql::Database& database, const identity::Permission& permission, const Rights& rights,
              const Clock& clock, Random& random)
      : database_(database), permission_(permission), rights_(rights), clock_(clock), random_(random) {}

  // already_exists when the owner has one of this title; find_titled tells which.
  Result<Collection> create(const identity::Caller& caller, const NewCollection& wish);
  Result<std::optional<Collection>> find_titled(const identity::Caller& caller, std::string_view owner,
                                                std::string_view title);
  // By any slug it ever had.
  Result<Collection> find(const identity::Caller& caller, std::string_view slug);
  // What the caller may see, at most count_max; `items` holds the first four of each.
  Result<std::vector<Collection>> list(const identity::Caller& caller, const CollectionQuery& query);
  Result<Collection> change(const identity::Caller& caller, std::string_view slug,
                            const CollectionChange& change);
  Status remove(const identity::Caller& caller, std::string_view slug);

  // already_exists when it is there; not_found when the caller cannot see such a thing.
  Result<Collection> add(const identity::Caller& caller, std::string_view slug, std::string_view type,
                         std::string_view name, std::string_view note);
  Status change_item(const identity::Caller& caller, std::string_view slug, std::string_view item,
                     const std::optional<std::string>& note, std::optional<int64_t> position);
  Status remove_item(const identity::Caller& caller, std::string_view slug, std::string_view item);

 private:
  bool may(const identity::Caller& caller, identity::Right right, const Collection& collection) const;
  Result<Collection> find_row(sql::Transaction& tx, const identity::Caller& caller, std::string_view slug);
  Result<Collection> find_for_change(sql::Transaction& tx, const identity::Caller& caller,
                                     std::string_view slug);
  Status read_items(sql::Transaction& tx, const identity::Caller& caller, Collection& collection,
                    size_t count_max);
  Status touch(sql::Transaction& tx, const Collection& collection);

  sql::Database& database_;
  const identity::Permission& permission_;
  const Rights& rights_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace holdfast::repo
