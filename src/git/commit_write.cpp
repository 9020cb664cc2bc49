#include "git/commit_write.h"

#include <git2/errors.h>
#include <git2/signature.h>
#include <git2/sys/commit.h>
#include <git2/tree.h>

#include <algorithm>
#include <map>
#include <memory>

#include "git/durable.h"
#include "git/handle.h"
#include "git/path_rules.h"

namespace holdfast::git {

namespace {

constexpr size_t message_bytes_max = 64 << 10;

// A tree being edited: read when first looked into, written when something in it changed.
class Folder {
 public:
  struct Item {
    git_filemode_t mode = GIT_FILEMODE_BLOB;
    ObjectId id{};                     // Out of date once `folder` was edited.
    std::unique_ptr<Folder> folder{};  // Read lazily, for GIT_FILEMODE_TREE.

    bool is_folder() const { return mode == GIT_FILEMODE_TREE; }
  };

  static Result<std::unique_ptr<Folder>> read(const Repository& repository, const ObjectId& tree) {
    TRY(const TreeHandle handle, look_up_tree(repository, tree));
    auto folder = std::make_unique<Folder>();
    for (size_t i = 0; i < git_tree_entrycount(handle.get()); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(handle.get(), i);
      folder->items_[git_tree_entry_name(entry)] = {.mode = git_tree_entry_filemode(entry),
                                                    .id = ObjectId(*git_tree_entry_id(entry))};
    }
    folder->id_ = tree;
    return folder;
  }

  // The item at `path`, or null.
  Result<const Item*> find(const Repository& repository, std::string_view path) {
    const size_t slash = path.find('/');
    const auto found = items_.find(path.substr(0, slash));
    if (found == items_.end()) return nullptr;
    if (slash == path.npos) return &found->second;
    if (!found->second.is_folder()) return nullptr;
    TRY(Folder * below, open(repository, found->second));
    return below->find(repository, path.substr(slash + 1));
  }

  Status put(const Repository& repository, std::string_view path, git_filemode_t mode, const ObjectId& id) {
    changed_ = true;
    const size_t slash = path.find('/');
    Item& item = items_[std::string(path.substr(0, slash))];
    if (slash == path.npos) {
      item = {.mode = mode, .id = id};
      return Done{};
    }
    if (!item.is_folder()) item = {.mode = GIT_FILEMODE_TREE, .folder = std::make_unique<Folder>()};
    TRY(Folder * below, open(repository, item));
    return below->put(repository, path.substr(slash + 1), mode, id);
  }

  // What is at `path` must exist. Folders that become empty vanish.
  Status remove(const Repository& repository, std::string_view path) {
    changed_ = true;
    const size_t slash = path.find('/');
    const auto found = items_.find(path.substr(0, slash));
    if (slash != path.npos) {
      TRY(Folder * below, open(repository, found->second));
      TRY_DONE(below->remove(repository, path.substr(slash + 1)));
      if (!below->items_.empty()) return Done{};
    }
    items_.erase(found);
    return Done{};
  }

  // The name of the tree as it is now, written if it is new.
  Result<ObjectId> write(const Repository& repository) {
    if (!changed_ && !id_.zero()) return id_;
    git_treebuilder* raw = nullptr;
    TRY_DONE(done(git_treebuilder_new(&raw, repository.raw(), nullptr), "making a folder"));
    const TreeBuilderHandle builder(raw);
    for (auto& [name, item] : items_) {
      if (item.folder) {
        TRY(item.id, item.folder->write(repository));
      }
      const git_oid id = item.id.to_git();
      TRY_DONE(done(git_treebuilder_insert(nullptr, raw, name.c_str(), &id, item.mode), "making a folder"));
    }
    git_oid written;
    TRY_DONE(done(git_treebuilder_write(&written, raw), "writing a folder"));
    id_ = ObjectId(written);
    changed_ = false;
    return id_;
  }

 private:
  static Result<Folder*> open(const Repository& repository, Item& item) {
    if (!item.folder) {
      TRY(item.folder, read(repository, item.id));
    }
    return item.folder.get();
  }

  std::map<std::string, Item, std::less<>> items_;
  ObjectId id_;  // As last read or written.
  bool changed_ = false;
};

git_filemode_t mode_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::file:
      return GIT_FILEMODE_BLOB;
    case EntryKind::executable:
      return GIT_FILEMODE_BLOB_EXECUTABLE;
    case EntryKind::symlink:
      return GIT_FILEMODE_LINK;
    case EntryKind::folder:
      return GIT_FILEMODE_TREE;
    case EntryKind::submodule:
      return GIT_FILEMODE_COMMIT;
  }
  return GIT_FILEMODE_BLOB;
}

// Applies one change after another to a tree.
class Editor {
 public:
  Editor(const Repository& repository, Folder& root) : repository_(repository), root_(root) {}

  Status operator()(const PutFile& put) {
    TRY_DONE(check_path(put.path));
    if (put.kind == EntryKind::folder || put.kind == EntryKind::submodule)
      return fail(Code::invalid, "only files are put into a tree");
    TRY(const ObjectHead head, repository_.head_of(put.blob));
    if (head.kind != ObjectKind::blob) return fail(Code::invalid, "only files are put into a tree");
    return root_.put(repository_, put.path, mode_of(put.kind), put.blob);
  }

  Status operator()(const DeleteFile& gone) {
    TRY_DONE(check_path(gone.path));
    TRY(const Folder::Item* item, root_.find(repository_, gone.path));
    if (item == nullptr || item->is_folder())
      return fail(Reason::entry_not_found, "A file with this name doesn't exist: '" + gone.path + "'");
    return root_.remove(repository_, gone.path);
  }

  Status operator()(const DeleteFolder& gone) {
    std::string_view path = gone.path;
    if (path.ends_with('/')) path.remove_suffix(1);
    TRY_DONE(check_path(path));
    TRY(const Folder::Item* item, root_.find(repository_, path));
    if (item == nullptr || !item->is_folder())
      return fail(Reason::entry_not_found,
                  "A folder with this name doesn't exist: '" + std::string(path) + "'");
    return root_.remove(repository_, path);
  }

  Status operator()(const CopyEntry& copy) {
    TRY_DONE(check_path(copy.from));
    TRY_DONE(check_path(copy.to));
    if (!copy.source.zero()) {
      TRY(const auto entry, find_entry(repository_, copy.source, copy.from));
      if (!entry) return missing(copy.from);
      return root_.put(repository_, copy.to, mode_of(entry->kind), entry->id);
    }
    TRY(const Folder::Item* item, root_.find(repository_, copy.from));
    if (item == nullptr) return missing(copy.from);
    ObjectId id = item->id;
    if (item->folder) {
      TRY(id, item->folder->write(repository_));
    }
    return root_.put(repository_, copy.to, item->mode, id);
  }

 private:
  static Error missing(const std::string& path) {
    return fail(Reason::entry_not_found, "there is nothing to copy at '" + path + "'");
  }

  const Repository& repository_;
  Folder& root_;
};

struct SignatureFree {
  void operator()(git_signature* raw) const { git_signature_free(raw); }
};
using SignatureHandle = std::unique_ptr<git_signature, SignatureFree>;

// Characters that would end a field of a commit are dropped, as git does.
std::string clean(std::string_view text, std::string_view when_empty) {
  std::string out;
  for (const char c : text.substr(0, 1000))
    if (static_cast<unsigned char>(c) >= 0x20 && c != '<' && c != '>' && c != 0x7F) out += c;
  const bool something = out.find_first_not_of(" .,:;\"\\'") != out.npos;  // git strips these at both ends.
  return something ? out : std::string(when_empty);
}

Result<SignatureHandle> make_signature(const Signature& from) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(from.time.time_since_epoch()).count();
  git_signature* raw = nullptr;
  TRY_DONE(done(git_signature_new(&raw, clean(from.name, "unknown").c_str(),
                                  clean(from.email, "unknown@localhost").c_str(), seconds,
                                  std::clamp(from.offset_minutes, -14 * 60, 14 * 60)),
                "signing a commit"));
  return SignatureHandle(raw);
}

}  // namespace

Result<ObjectId> edit_tree(const Repository& repository, const ObjectId& base,
                           std::span<const Change> changes) {
  if (changes.size() > changes_max) return fail(Code::too_large, "too many changes in one commit");
  TRY(const TreeHandle tree, tree_of_commit(repository, base));
  TRY(const std::unique_ptr<Folder> root, Folder::read(repository, ObjectId(*git_tree_id(tree.get()))));
  Editor editor(repository, *root);
  for (const Change& change : changes) TRY_DONE(std::visit(editor, change));
  return root->write(repository);
}

Result<ObjectId> write_commit(const Repository& repository, const NewCommit& commit) {
  if (commit.message.size() > message_bytes_max)
    return fail(Code::too_large, "the commit's message is too long");
  if (commit.message.find('\0') != commit.message.npos)
    return fail(Reason::bad_request, "the commit's message has a NUL character");
  std::string message = commit.message.empty() ? "Update" : commit.message;
  if (!message.ends_with('\n')) message += '\n';
  TRY(const SignatureHandle author, make_signature(commit.author));
  TRY(const SignatureHandle committer, make_signature(commit.committer));

  const git_oid tree = commit.tree.to_git();
  std::vector<git_oid> parents;
  for (const ObjectId& parent : commit.parents) parents.push_back(parent.to_git());
  std::vector<const git_oid*> pointers;
  for (const git_oid& parent : parents) pointers.push_back(&parent);
  git_oid id;
  TRY_DONE(done(git_commit_create_from_ids(&id, repository.raw(), nullptr, author.get(), committer.get(),
                                           nullptr, message.c_str(), &tree, pointers.size(), pointers.data()),
                "writing a commit"));
  TRY_DONE(repository.write_gathered());
  TRY_DONE(sync_new_objects(repository.folder()));
  return ObjectId(id);
}

}  // namespace holdfast::git
