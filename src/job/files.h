#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/caller.h"
#include "sql/database.h"

namespace holdfast::job {

struct File {
  std::string id{}, name{}, purpose{};  // "file-…"; purposes are "batch" and "batch_output".
  int64_t owner = 0, size = 0;
  WallTime at{};
  std::string batch{};  // Whose answers it is; empty: it was uploaded.
  bool failures = false;
};

// A page of a list, newest first.
template <class T>
struct Page {
  std::vector<T> items{};
  bool more = false;
};
struct PageWish {
  size_t limit = 20;    // 1 to 10,000.
  std::string after{};  // An id; empty: from the newest on.
};

// The bytes of a file, in pieces. One thread.
class FileBytes {
 public:
  virtual ~FileBytes() = default;
  virtual Result<std::string> next() = 0;  // Empty at the end.
};

// Files of requests and of their answers. Each is its owner's alone: to all others it is not there. Safe from
// any thread.
class Files {
 public:
  struct Parts {
    sql::Database& database;
    const Clock& clock;
    Random& random;
  };
  explicit Files(const Parts& parts) : parts_(parts) {}

  // quota beyond what one owner may keep, body_too_large beyond file_bytes_max.
  Result<File> add(const identity::Caller& caller, const std::string& name, ByteView bytes);
  Result<File> find(const identity::Caller& caller, const std::string& id) const;
  Result<Page<File>> list(const identity::Caller& caller, const PageWish& wish) const;
  // A batch's answers go with its file; a batch that runs keeps what it read of its input.
  Status remove(const identity::Caller& caller, const std::string& id);
  Result<std::unique_ptr<FileBytes>> open(const File& file) const;
  // Whole, of an uploaded one.
  Result<std::string> read(const std::string& id) const;

 private:
  const Parts parts_;
};

}  // namespace holdfast::job
