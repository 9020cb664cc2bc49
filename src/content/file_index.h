#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "content/store.h"
#include "content/xorb_index.h"
#include "sql/database.h"

namespace holdfast::content {

using FileId = int64_t;

struct FileTerm {
  XorbId xorb = 0;
  ChunkRange chunks;
  uint32_t length = 0;  // Of the chunks, uncompressed.
};

struct StoredFile {
  FileId id = 0;
  FileInfo info{};
  std::vector<FileTerm> terms{};
};

// Which files there are and of which chunks they are made, in tables content_files, content_file_terms and
// content_uses. Borrows the database; safe from any thread.
class FileIndex {
 public:
  explicit FileIndex(sql::Database& database) : database_(database) {}

  // Answers with the file as it is known now: the one that was there already when the hash is taken. The
  // xorbs must be there; object_missing when one is gone.
  static Result<FileInfo> add(sql::Transaction& tx, const FileInfo& info, const std::vector<FileTerm>& terms,
                              int64_t now);
  // Only when nobody touched it since `before`; answers whether it did.
  static Result<bool> remove(sql::Transaction& tx, const StoredFile& file, int64_t before);

  // object_missing when there is none.
  Result<StoredFile> find(const Sha256Digest& sha256);
  Result<StoredFile> find(const FileHash& hash);
  Result<StoredFile> find(FileId id);
  Status touch(const StoredFile& file, int64_t now);
  // Pages over all files in order of id: up to `count` after `after`, touched before `before`.
  Result<std::vector<StoredFile>> page(FileId after, int64_t count, int64_t before);
  Result<std::vector<FileId>> users_of(XorbId xorb, FileId after, int64_t count);

 private:
  Result<StoredFile> find(std::string_view condition, sql::Value value);

  sql::Database& database_;
};

}  // namespace holdfast::content
