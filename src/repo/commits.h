#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "content/hash.h"
#include "git/commit_write.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "identity/caller.h"
#include "repo/publisher.h"
#include "repo/repository.h"

namespace holdfast::content {
class Store;
}

namespace holdfast::repo {

class Browser;
class Checks;
class Discussions;
class Rights;
class Uploads;

// Where a commit goes and what it says of itself.
struct CommitTarget {
  std::string revision;       // As the client named it; a branch.
  std::string parent_commit;  // Hex, 5 to 40 digits; empty: whatever the head is.
  std::string summary, description;
  enum class As : uint8_t { commit, pull_request } as = As::commit;
};

struct CommitDone {
  git::ObjectId commit;
  std::optional<int64_t> pull_request;
};

inline constexpr uint64_t regular_file_bytes_max = 10'000'000;  // Larger files belong into the content store.
inline constexpr uint64_t regular_commit_bytes_max = 160 << 20;  // Of all files of one commit together.
inline constexpr size_t commit_operations_max = 25'000;

// A commit being put together while its operations arrive, in order. Blobs are written as they come; nothing
// names them until `finish`, so dropping the draft leaves only garbage for git. One thread; lives as long as
// its request.
class CommitDraft {
 public:
  virtual ~CommitDraft() = default;
  virtual Status put_file(std::string_view path, ByteView content) = 0;
  // object_missing unless the caller may name it. A copy is the same without a size.
  virtual Status put_large(std::string_view path, const content::Sha256Digest& sha256,
                           std::optional<uint64_t> size) = 0;
  virtual Status copy(std::string_view from, std::string_view from_revision, std::string_view to) = 0;
  virtual Status delete_file(std::string_view path) = 0;
  virtual Status delete_folder(std::string_view path) = 0;
  virtual Result<CommitDone> finish(const CommitTarget& target) = 0;
};

enum class UploadMode : uint8_t { regular, large };
struct PreuploadFile {
  std::string path;
  Bytes sample;  // The first bytes, at most 512.
  uint64_t size = 0;
};
struct PreuploadAnswer {
  std::string path;
  UploadMode mode = UploadMode::regular;
  bool ignore = false;
  std::string oid;  // Of the file there now: blob id, or SHA-256 of a large one; empty when there is none.
};

// Commits over HTTP. Safe from any thread; borrows all it is given.
class Commits {
 public:
  struct Parts {
    Storage& storage;
    Publisher& publisher;
    Browser& browser;
    Uploads& uploads;
    Rights& rights;
    content::Store& content;
    Discussions& discussions;
    Checks& checks;
    const Clock& clock;
  };
  explicit Commits(Parts parts) : parts_(parts) {}

  // Who may write where is checked by `finish`.
  Result<std::unique_ptr<CommitDraft>> begin(const identity::Caller& caller, const Repository& repository);

  Result<std::vector<PreuploadAnswer>> preupload(const Repository& repository, std::string_view revision,
                                                 std::span<const PreuploadFile> files,
                                                 std::optional<std::string_view> git_ignore);

 private:
  Parts parts_;
};

}  // namespace holdfast::repo
