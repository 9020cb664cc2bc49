#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/hash.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "git/tree_list.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

// The bytes behind a file that is kept in the content store.
struct LargeFile {
  content::Sha256Digest sha256{};
  content::FileHash hash;
  uint64_t size = 0;
  uint64_t pointer_bytes = 0;
};

struct FileEntry {
  std::string path;
  git::EntryKind kind = git::EntryKind::file;
  git::ObjectId id;         // Of the blob (the pointer's, for a large file) or tree.
  uint64_t blob_bytes = 0;  // In git.
  std::optional<LargeFile> large;

  bool is_folder() const { return kind == git::EntryKind::folder; }
  uint64_t size() const { return large ? large->size : blob_bytes; }  // What a download gives.
};

struct FilePage {
  std::vector<FileEntry> entries;
  bool more = false;
};

// Reads trees as users see them: LFS pointers become the files they stand for, provided the repository holds
// those bytes; a pointer to anything else is shown as the small text it is, so that nobody reads a stranger's
// file by writing its digest down. Safe from any thread.
class Browser {
 public:
  explicit Browser(sql::Database& database) : database_(database) {}

  Result<FilePage> list(const Repository& repository, const git::Repository& objects,
                        const git::ObjectId& commit, const git::ListOptions& options);
  // Every file of the tree, folders left out, at most `files_max`.
  Result<std::vector<FileEntry>> files(const Repository& repository, const git::Repository& objects,
                                       const git::ObjectId& commit, size_t files_max = 100'000);
  // As `files`, their names alone: no blob is looked at, which makes it many times cheaper.
  static Result<std::vector<std::string>> paths(const git::Repository& objects, const git::ObjectId& commit,
                                                size_t files_max = 100'000);
  // nullopt when there is nothing at `path`.
  Result<std::optional<FileEntry>> find(const Repository& repository, const git::Repository& objects,
                                        const git::ObjectId& commit, std::string_view path);

 private:
  Status fill_large(const Repository& repository, const git::Repository& objects,
                    std::span<FileEntry> entries);

  sql::Database& database_;
};

// entry_not_found with the text clients know.
Error no_such_entry(std::string_view path);

}  // namespace holdfast::repo
