#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "identity/caller.h"
#include "repo/card.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

class Rights;

enum class SortKey : uint8_t { modified, created, downloads, likes };

// What a listing asks for; all conditions hold together. A tag matches as it is written in the card's tags,
// or as library, pipeline or task.
struct SearchQuery {
  RepoType type = RepoType::model;
  std::string author;
  std::vector<std::string> words;  // Each in the name, whatever the case.
  std::vector<std::string> tags;
  std::string pipeline, library;
  std::optional<bool> gated;
  std::optional<int64_t> parameters_min, parameters_max;
  SortKey sort = SortKey::modified;
  int64_t count_max = 1000;
  std::string after;  // The cursor of the page before; empty for the first page.
};

struct SearchHit {
  Repository repository;
  Card card;  // Empty fields where nothing is known yet.
};
struct SearchPage {
  std::vector<SearchHit> hits;
  std::string next;  // Cursor of the next page; empty on the last.
};

// Lists what a caller may see, newest (or most) first. Safe from any thread.
class Search {
 public:
  Search(sql::Database& database, Rights& rights) : database_(database), rights_(rights) {}
  Result<SearchPage> find(const identity::Caller& caller, const SearchQuery& query);
  // Of one namespace, what the caller may see.
  Result<int64_t> count(const identity::Caller& caller, RepoType type, std::string_view ns);

 private:
  struct Batch;
  Status read_batch(const SearchQuery& query, int64_t after_key, int64_t after_id, Batch& batch);

  sql::Database& database_;
  Rights& rights_;
};

}  // namespace holdfast::repo
