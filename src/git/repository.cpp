#include "git/repository.h"

#include <git2/blob.h>
#include <git2/buffer.h>
#include <git2/commit.h>
#include <git2/common.h>
#include <git2/config.h>
#include <git2/errors.h>
#include <git2/global.h>
#include <git2/object.h>
#include <git2/odb.h>
#include <git2/odb_backend.h>
#include <git2/refs.h>
#include <git2/repository.h>
#include <git2/signature.h>
#include <git2/tag.h>

#include <algorithm>
#include <mutex>

#include "git/durable.h"
#include "git/gathered_objects.h"
#include "git/handle.h"

namespace holdfast::git {

namespace {

// Once a process: fsync what is written, look at no configuration but the repository's own, and check the
// name of every object that is read.
void set_up_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    for (const int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG,
                            GIT_CONFIG_LEVEL_PROGRAMDATA})
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
  });
}

Signature signature_of(const git_signature& raw) {
  return {raw.name, raw.email, WallTime{std::chrono::seconds{raw.when.time}}, raw.when.offset};
}

Result<ObjectKind> kind_of(git_object_t type) {
  if (type == GIT_OBJECT_COMMIT) return ObjectKind::commit;
  if (type == GIT_OBJECT_TREE) return ObjectKind::tree;
  if (type == GIT_OBJECT_BLOB) return ObjectKind::blob;
  if (type == GIT_OBJECT_TAG) return ObjectKind::tag;
  return fail(Reason::data_corrupt, "a git object of unknown type");
}

Result<OdbHandle> objects_of(const Repository& repository) {
  git_odb* raw = nullptr;
  TRY_DONE(done(git_repository_odb(&raw, repository.raw()), "opening the objects"));
  return OdbHandle(raw);
}

struct StreamFree {
  void operator()(git_odb_stream* raw) const { git_odb_stream_free(raw); }
};
struct OdbObjectFree {
  void operator()(git_odb_object* raw) const { git_odb_object_free(raw); }
};

}  // namespace

std::string Commit::title() const { return message.substr(0, message.find('\n')); }

std::string Commit::body() const {
  const size_t end = message.find('\n');
  if (end == std::string::npos) return "";
  const size_t start = message.find_first_not_of('\n', end);
  if (start == std::string::npos) return "";
  const size_t last = message.find_last_not_of('\n');
  return message.substr(start, last - start + 1);
}

void Repository::Free::operator()(git_repository* raw) const { git_repository_free(raw); }

Result<Repository> Repository::init(const io::Path& folder) {
  set_up_library();
  std::error_code ignored;
  if (std::filesystem::exists(folder / "HEAD", ignored))
    return fail(Reason::already_exists, "the repository exists");
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
  options.initial_head = "main";
  git_repository* raw = nullptr;
  TRY_DONE(done(git_repository_init_ext(&raw, folder.c_str(), &options), "making a repository"));
  Repository made(folder, raw);
  git_config* config = nullptr;
  TRY_DONE(done(git_repository_config(&config, raw), "configuring a repository"));
  // Maintenance is ours: nothing is collected behind our back while a push is in flight.
  const int set = git_config_set_int32(config, "gc.auto", 0);
  git_config_free(config);
  TRY_DONE(done(set, "configuring a repository"));
  const io::Path folders[] = {folder / "objects/pack", folder / "objects", folder / "refs/heads",
                              folder / "refs/tags",    folder / "refs",    folder,
                              folder.parent_path()};
  TRY_DONE(sync_folders(folders));
  return made;
}

Result<Repository> Repository::open(const io::Path& folder) {
  set_up_library();
  git_repository* raw = nullptr;
  const int code = git_repository_open_bare(&raw, folder.c_str());
  if (code == GIT_ENOTFOUND) return fail(Reason::repo_not_found, "the repository's folder is missing");
  TRY_DONE(done(code, "opening a repository"));
  return Repository(folder, raw);
}

Result<Repository> Repository::open_with(const io::Path& folder, const io::Path& quarantine) {
  TRY(Repository opened, open(folder));
  TRY(const OdbHandle objects, objects_of(opened));
  TRY_DONE(done(git_odb_add_disk_alternate(objects.get(), quarantine.c_str()), "opening pushed objects"));
  return opened;
}

Status Repository::gather() {
  if (gathered_ == nullptr) {
    TRY(gathered_, gather_objects(*this));
  }
  return Done{};
}

Status Repository::write_gathered() const {
  return gathered_ == nullptr ? Status(Done{}) : git::write_gathered(*this, gathered_);
}

Result<ObjectHead> Repository::head_of(const ObjectId& id) const {
  TRY(const OdbHandle objects, objects_of(*this));
  const git_oid oid = id.to_git();
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  TRY_DONE(done(git_odb_read_header(&size, &type, objects.get(), &oid), "reading an object"));
  TRY(const ObjectKind kind, kind_of(type));
  return ObjectHead{kind, size};
}

bool Repository::has(const ObjectId& id) const {
  const auto objects = objects_of(*this);
  if (!objects.ok()) return false;
  const git_oid oid = id.to_git();
  return git_odb_exists(objects.value().get(), &oid) == 1;
}

Result<Commit> Repository::commit(const ObjectId& id) const {
  const git_oid oid = id.to_git();
  git_object* raw = nullptr;
  TRY_DONE(done(git_object_lookup(&raw, raw_.get(), &oid, GIT_OBJECT_ANY), "reading a commit"));
  const ObjectHandle found(raw);
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, raw, GIT_OBJECT_COMMIT) < 0)
    return fail(Code::invalid, "the object is not a commit");
  const CommitHandle handle(reinterpret_cast<git_commit*>(peeled));

  Commit commit;
  commit.id = ObjectId(*git_commit_id(handle.get()));
  commit.tree = ObjectId(*git_commit_tree_id(handle.get()));
  for (unsigned i = 0; i < git_commit_parentcount(handle.get()); ++i)
    commit.parents.emplace_back(*git_commit_parent_id(handle.get(), i));
  commit.author = signature_of(*git_commit_author(handle.get()));
  commit.committer = signature_of(*git_commit_committer(handle.get()));
  commit.message = git_commit_message(handle.get());
  return commit;
}

Result<ObjectId> Repository::find_commit(std::string_view prefix) const {
  const std::string unknown = "Invalid rev id: " + std::string(prefix.substr(0, 64));
  git_oid start;
  if (prefix.size() < 4 || prefix.size() > 40 || git_oid_fromstrn(&start, prefix.data(), prefix.size()) < 0)
    return fail(Reason::revision_not_found, unknown);
  git_object* raw = nullptr;
  if (git_object_lookup_prefix(&raw, raw_.get(), &start, prefix.size(), GIT_OBJECT_COMMIT) < 0)
    return fail(Reason::revision_not_found, unknown);
  const ObjectHandle found(raw);
  return ObjectId(*git_object_id(raw));
}

Result<std::string> Repository::read_blob(const ObjectId& id, uint64_t bytes_max) const {
  TRY(const ObjectHead head, head_of(id));
  if (head.kind != ObjectKind::blob) return fail(Code::invalid, "the object is not a file");
  if (head.size > bytes_max) return fail(Code::too_large, "the file is larger than can be read at once");
  TRY(const OdbHandle objects, objects_of(*this));
  const git_oid oid = id.to_git();
  git_odb_object* raw = nullptr;
  TRY_DONE(done(git_odb_read(&raw, objects.get(), &oid), "reading a file"));
  const std::unique_ptr<git_odb_object, OdbObjectFree> object(raw);
  return std::string(static_cast<const char*>(git_odb_object_data(raw)), git_odb_object_size(raw));
}

Status Repository::stream_blob(const ObjectId& id, uint64_t bytes_max,
                               const std::function<Status(ByteView)>& piece) const {
  constexpr size_t piece_bytes = 256 << 10;
  TRY(const std::string whole, read_blob(id, bytes_max));
  ByteView rest = as_bytes(whole);
  while (!rest.empty()) {
    const size_t count = std::min(rest.size(), piece_bytes);
    TRY_DONE(piece(rest.first(count)));
    rest = rest.subspan(count);
  }
  return Done{};
}

Result<ObjectId> Repository::write_blob(ByteView content) const {
  TRY(const OdbHandle objects, objects_of(*this));
  git_oid oid;
  TRY_DONE(done(git_odb_write(&oid, objects.get(), content.data(), content.size(), GIT_OBJECT_BLOB),
                "writing a file"));
  return ObjectId(oid);
}

}  // namespace holdfast::git
