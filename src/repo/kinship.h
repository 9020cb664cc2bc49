#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "content/hash.h"
#include "repo/repository.h"

namespace holdfast::content {
class Store;
}
namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

// A repository that holds bytes of another's.
struct Relative {
  Repository repository;
  uint64_t files = 0;                 // That are the same, whatever they are called.
  uint64_t tensors = 0;               // That are the same, in whatever files.
  uint64_t bytes = 0;                 // Of both.
  double share = 0;                   // Of the bytes that were asked for.
  bool declared = false;              // One of the two cards names the other.
  std::vector<std::string> paths{};   // Of its files that hold them, the first ten.
  std::vector<std::string> sha256{};  // Of those files, all.
};

// Bytes that their maker took back.
struct Withdrawn {
  std::string sha256{}, reason{}, by{};
  WallTime at{};
};

// Who holds whose weights: copies under another name, parts of them, models trained on from them, whether
// their cards say so or not. Knows tensors by their bytes (tensor_prints.h), once for each file; what is not
// indexed yet is as soon as it is asked about. Bytes below one per cent and in one tensor only are no
// kinship: some tables are the same in all models of a family. Safe from any thread.
class Kinship {
 public:
  Kinship(sql::Database& database, content::Store& content, const identity::Audit& audit, const Clock& clock)
      : database_(database), content_(content), audit_(audit), clock_(clock) {}

  // Indexes files that are not yet; returns how many.
  Result<size_t> index_some(size_t files_max);

  // Other repositories with bytes of this one, most first, at most 1,000. Whether the asker may see them is
  // the caller's question.
  Result<std::vector<Relative>> relatives(const Repository& repository);
  // All repositories with this file or with tensors of it.
  Result<std::vector<Relative>> holders(std::string_view sha256);

  // The large files that a repository holds, by SHA-256; the largest 2,000.
  Result<std::vector<std::string>> files_of(const Repository& repository);

  Status withdraw(std::string_view actor, std::string_view sha256, std::string_view reason);
  Result<std::vector<Withdrawn>> withdrawn();

 private:
  struct Weights {  // What is asked about.
    std::vector<std::string> files;
    std::map<std::string, uint64_t> bytes;  // Of each file.
    uint64_t total = 0;
  };
  Result<Weights> weights_of(const Repository& repository);
  Result<std::vector<Relative>> find(const Weights& weights);
  Status index(const std::string& sha256);
  Status index_all(const std::vector<std::string>& files);

  sql::Database& database_;
  content::Store& content_;
  const identity::Audit& audit_;
  const Clock& clock_;
};

}  // namespace holdfast::repo
