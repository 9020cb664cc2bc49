#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "git/object_id.h"
#include "io/disk.h"

struct git_odb_backend;
struct git_repository;

namespace holdfast::git {

// Who and when, as commits carry it: whole seconds, and the zone's offset in minutes.
struct Signature {
  std::string name, email;
  WallTime time{};
  int offset_minutes = 0;
};

struct Commit {
  ObjectId id, tree;
  std::vector<ObjectId> parents;
  Signature author, committer;
  std::string message;

  std::string title() const;  // The first line.
  std::string body() const;   // What follows the title and its blank line.
};

enum class ObjectKind : uint8_t { commit, tree, blob, tag };
struct ObjectHead {
  ObjectKind kind = ObjectKind::blob;
  uint64_t size = 0;
};

// A bare repository opened for one thread at a time: open one per call (tens of microseconds), never share
// it. Objects are fsynced as they are written; they are durable once write_commit has returned for a commit
// that holds them, since that also syncs the folders. Errors: not_found for objects that do not exist,
// too_large beyond a bound, data_corrupt for what does not parse, disk_full, internal otherwise; messages
// name objects and paths inside the repository, never the server's.
class Repository {
 public:
  // Creates the folder: bare, HEAD at refs/heads/main, no hooks, no description. already_exists when taken.
  static Result<Repository> init(const io::Path& folder);
  // repo_not_found when there is none.
  static Result<Repository> open(const io::Path& folder);
  // Also sees the objects of `quarantine`, a folder of loose objects and packs that is not part of it yet.
  static Result<Repository> open_with(const io::Path& folder, const io::Path& quarantine);

  // From now on what is written stays in memory until write_commit, which makes it durable together with the
  // commit: many objects at the cost of a few. Nothing is left behind when no commit is written.
  Status gather();
  // For write_commit: makes what was gathered durable.
  Status write_gathered() const;

  const io::Path& folder() const { return folder_; }
  git_repository* raw() const { return raw_.get(); }  // For this room only.

  Result<ObjectHead> head_of(const ObjectId& id) const;
  bool has(const ObjectId& id) const;
  // A commit; an annotated tag is followed. not_found when there is none, invalid when it is something else.
  Result<Commit> commit(const ObjectId& id) const;
  // 4 to 40 hexadecimal digits to the one commit that starts so; revision_not_found for none and for several.
  Result<ObjectId> find_commit(std::string_view prefix) const;

  Result<std::string> read_blob(const ObjectId& id, uint64_t bytes_max) const;
  // In pieces, for blobs of any size; stops with the first error of `piece`. Packed blobs are unpacked whole
  // in memory first, so `bytes_max` bounds that.
  Status stream_blob(const ObjectId& id, uint64_t bytes_max,
                     const std::function<Status(ByteView)>& piece) const;
  Result<ObjectId> write_blob(ByteView content) const;

 private:
  struct Free {
    void operator()(git_repository* raw) const;
  };
  Repository(io::Path folder, git_repository* raw) : folder_(std::move(folder)), raw_(raw) {}

  io::Path folder_;
  std::unique_ptr<git_repository, Free> raw_;
  git_odb_backend* gathered_ = nullptr;  // Belongs to raw_; null when objects are written at once.
};

}  // namespace holdfast::git
