#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "content/hash.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::content {
class Store;
struct ChunkRange;
struct FileInfo;
}  // namespace holdfast::content
namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

class Rights;

// Decides who may name which bytes (design decision 2). A caller may name what its own token uploaded within
// the last `session_span`, and what a repository holds whose files it may read. Anything else is answered
// like bytes that do not exist: object_missing, with no difference to be seen. All doors ask here. Safe from
// any thread; borrows all it is given.
class Uploads {
 public:
  static constexpr std::chrono::hours session_span{24};  // Below the grace of content's collection, 25 h.

  Uploads(sql::Database& database, content::Store& content, Rights& rights, const Clock& clock)
      : database_(database), content_(content), rights_(rights), clock_(clock) {}

  // After bytes arrived whole, verified and durable. Recording again renews the time. unauthenticated for
  // anonymous callers.
  Status record_file(const identity::Caller& caller, const content::FileInfo& file);
  Status record_xorb(const identity::Caller& caller, const content::XorbHash& xorb);

  // ok, or object_missing.
  Status may_name(const identity::Caller& caller, const content::Sha256Digest& sha256);
  Status may_name(const identity::Caller& caller, const content::FileHash& file);
  // Fits content::MayUse. Chunks count as the caller's when it uploaded the xorb itself, or when files it may
  // read use each of them: a xorb may hold chunks of several repositories, so one file gives no right to its
  // neighbours.
  Result<bool> may_use(const identity::Caller& caller, const content::XorbHash& xorb,
                       const content::ChunkRange& chunks);

  // What a download from this repository (any revision) may name: the file's hash and size, or
  // object_missing.
  Result<content::FileInfo> held(RepoId repository, const content::Sha256Digest& sha256);
  Result<content::FileInfo> held(RepoId repository, const content::FileHash& file);

  // In the transaction that moves a ref: the repository holds this file from now on.
  static Status hold(sql::Transaction& tx, RepoId repository, const content::FileInfo& file,
                     std::string_view path, int64_t now_unix_ms);
  // Whether any repository or running session names the file: what content's collection must keep.
  Result<bool> is_live(const content::FileInfo& file);
  // Forgets uploads older than the span. For the maintenance timer.
  Status forget_old();

 private:
  enum class Kind : uint8_t { sha256, file, xorb };
  static std::string_view kind_name(Kind kind);

  Status record(const identity::Caller& caller, Kind kind, std::string_view hash, uint64_t size);
  Result<bool> uploaded(const identity::Caller& caller, Kind kind, std::string_view hash);
  Result<bool> readable(const identity::Caller& caller, std::string_view column, std::string_view hash);

  sql::Database& database_;
  content::Store& content_;
  Rights& rights_;
  const Clock& clock_;
};

}  // namespace holdfast::repo
