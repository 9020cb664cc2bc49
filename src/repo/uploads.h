#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::content {
class Store;
}
namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

class Rights;

// Decides who may name which bytes (design decision 2). A caller may name what its own token uploaded within
// the last `session_span`, and what a repository holds that it can read. Anything else is answered like bytes
// that do not exist: object_missing, with no difference to be seen. Hashes are lower-case hexadecimal in the
// form their protocol prints (sha256 plain; file and xorb hashes in Xet's grouped form). All rooms' doors ask
// here; safe from any thread.
class Uploads {
 public:
  static constexpr std::chrono::hours session_span{24};  // Below the grace of content's collection, 25 h.

  Uploads(sql::Database& database, content::Store& content, Rights& rights, const Clock& clock)
      : database_(database), content_(content), rights_(rights), clock_(clock) {}

  // After bytes arrived whole, verified and durable. Recording again renews the time.
  Status record_object(const identity::Caller& caller, std::string_view sha256, uint64_t size);
  Status record_file(const identity::Caller& caller, std::string_view file_hash);
  Status record_xorb(const identity::Caller& caller, std::string_view xorb_hash);

  // ok, or object_missing.
  Status may_name_object(const identity::Caller& caller, std::string_view sha256);
  Status may_name_file(const identity::Caller& caller, std::string_view file_hash);
  // Chunks [first, end) of a xorb: the caller uploaded the xorb itself, or files it can read use each of
  // them. A xorb may hold chunks of several repositories, so reading one file gives no right to its
  // neighbours.
  Status may_name_chunks(const identity::Caller& caller, std::string_view xorb_hash, uint32_t first,
                         uint32_t end);

  // ok when this repository (at any of its revisions) holds the object: what a download may name.
  Status repository_holds_object(const Repository& repository, std::string_view sha256);
  Status repository_holds_file(const Repository& repository, std::string_view file_hash);

  // Called with every change of refs, in its transaction: the repository now holds this object.
  static Status hold(sql::Transaction& tx, RepoId repository, std::string_view sha256,
                     std::string_view file_hash, uint64_t size, int64_t now_unix_ms);
  // Forgets uploads older than the span. For the maintenance timer.
  Status forget_old();

 private:
  Status uploaded(const identity::Caller& caller, std::string_view kind, std::string_view hash);
  Status record(const identity::Caller& caller, std::string_view kind, std::string_view hash, uint64_t size);
  Status held_readably(const identity::Caller& caller, std::string_view column, std::string_view hash);

  sql::Database& database_;
  content::Store& content_;
  Rights& rights_;
  const Clock& clock_;
};

}  // namespace holdfast::repo
