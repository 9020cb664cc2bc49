#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "content/store.h"
#include "git/lfs_pointer.h"
#include "repo/author.h"
#include "repo/browser.h"
#include "repo/checks.h"
#include "repo/commits.h"
#include "repo/discussions.h"
#include "repo/revisions.h"
#include "repo/rights.h"
#include "repo/storage.h"
#include "repo/upload_rules.h"
#include "repo/uploads.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view no_such_file = "A file with this name doesn't exist";

std::string message_of(const CommitTarget& target) {
  if (target.description.empty()) return target.summary;
  return target.summary + "\n\n" + target.description;
}

class Draft final : public CommitDraft {
 public:
  Draft(const Commits::Parts& parts, identity::Caller caller, Repository repository, git::Repository objects)
      : parts_(parts),
        caller_(std::move(caller)),
        repository_(std::move(repository)),
        objects_(std::move(objects)) {}

  Status put_file(std::string_view path, ByteView content) override;
  Status put_large(std::string_view path, const content::Sha256Digest& sha256,
                   std::optional<uint64_t> size) override;
  Status copy(std::string_view from, std::string_view from_revision, std::string_view to) override;
  Status delete_file(std::string_view path) override;
  Status delete_folder(std::string_view path) override;
  Result<CommitDone> finish(const CommitTarget& target) override;

 private:
  struct Place {
    std::string ref;  // The branch; of a pull request its base.
    git::ObjectId head;
  };

  Status add(std::string_view path, git::Change change);
  Result<Place> find_place(const CommitTarget& target);
  Status check_right(const CommitTarget& target, const std::string& ref);
  Status move_tracked_files(const git::ObjectId& head);
  Status settle_deletions(const git::ObjectId& head);
  Result<CommitDone> publish(const Storage::Lock& lock, const CommitTarget& target, const Place& place,
                             const git::ObjectId& commit);
  Result<git::PutFile> pointer_to(std::string path, const content::FileInfo& file);

  const Commits::Parts& parts_;  // Of Commits, which outlives the request.
  identity::Caller caller_;
  Repository repository_;
  git::Repository objects_;
  std::vector<git::Change> changes_;
  std::vector<HeldFile> held_;
  std::map<std::string, size_t> regular_;  // Path to its last place in changes_.
  uint64_t regular_bytes_ = 0;
};

Status Draft::add(std::string_view path, git::Change change) {
  if (changes_.size() >= commit_operations_max)
    return fail(Reason::body_too_large,
                fmt::format("A commit has at most {} operations", commit_operations_max));
  TRY_DONE(check_file_path(path));
  changes_.push_back(std::move(change));
  return Done{};
}

Status Draft::put_file(std::string_view path, ByteView content) {
  if (content.size() > regular_file_bytes_max)
    return fail(Reason::body_too_large,
                fmt::format("{} is larger than 10 MB: upload it through LFS or Xet", path.substr(0, 300)));
  regular_bytes_ += content.size();
  if (regular_bytes_ > regular_commit_bytes_max)
    return fail(Reason::body_too_large, "The regular files of one commit are too large together");
  TRY_DONE(check_file_path(path));
  TRY(const git::ObjectId blob, objects_.write_blob(content));
  TRY_DONE(add(path, git::PutFile{.path = std::string(path), .blob = blob, .kind = git::EntryKind::file}));
  if (!content.empty()) regular_[std::string(path)] = changes_.size() - 1;
  return Done{};
}

Result<git::PutFile> Draft::pointer_to(std::string path, const content::FileInfo& file) {
  const std::string text =
      git::format_lfs_pointer({.sha256 = content::to_text(file.sha256), .size = file.size});
  TRY(const git::ObjectId blob, objects_.write_blob(as_bytes(text)));
  held_.push_back({.file = file, .path = path});
  return git::PutFile{.path = std::move(path), .blob = blob, .kind = git::EntryKind::file};
}

Status Draft::put_large(std::string_view path, const content::Sha256Digest& sha256,
                        std::optional<uint64_t> size) {
  TRY_DONE(check_file_path(path));
  const Error missing =
      fail(Reason::object_missing, fmt::format("LFS pointer pointed to a file that does not exist: {} ({})",
                                               path.substr(0, 300), content::to_text(sha256)));
  const Status named = parts_.uploads.may_name(caller_, sha256);
  if (!named.ok()) return named.error().reason == Reason::object_missing ? missing : named.error();
  auto file = parts_.content.touch(sha256);
  if (!file.ok()) return file.error().reason == Reason::object_missing ? missing : file.error();
  if (size && *size != file.value().size)
    return fail(Reason::bad_request,
                fmt::format("{} has {} bytes, not {}", path.substr(0, 300), file.value().size, *size));
  TRY(git::PutFile put, pointer_to(std::string(path), file.value()));
  return add(path, std::move(put));
}

Status Draft::copy(std::string_view from, std::string_view from_revision, std::string_view to) {
  git::CopyEntry change{.from = std::string(from), .to = std::string(to), .source = {}};
  TRY_DONE(check_file_path(from));
  if (!from_revision.empty()) {
    TRY(const Revision source, find_revision(parts_.publisher, objects_, repository_.id, from_revision));
    change.source = source.commit;
  }
  return add(to, std::move(change));
}

Status Draft::delete_file(std::string_view path) {
  return add(path, git::DeleteFile{.path = std::string(path)});
}

Status Draft::delete_folder(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return add(path, git::DeleteFolder{.path = std::string(path)});
}

Result<Draft::Place> Draft::find_place(const CommitTarget& target) {
  const Error unknown =
      fail(Reason::revision_not_found, fmt::format("Invalid rev id: {}", target.revision.substr(0, 200)));
  auto ref = branch_ref(target.revision);
  if (!ref.ok()) return unknown;
  if (target.as == CommitTarget::As::pull_request && !ref.value().starts_with("refs/heads/")) return unknown;
  TRY(const auto head, parts_.publisher.ref(repository_.id, ref.value()));
  if (!head) return unknown;
  return Place{.ref = std::move(ref).value(), .head = *head};
}

Status Draft::check_right(const CommitTarget& target, const std::string& ref) {
  const Error forbidden =
      fail(Reason::forbidden,
           fmt::format("You don't have the rights to write to {}; a pull request is open to you",
                       repository_.full_name()));
  if (target.as == CommitTarget::As::pull_request)
    return parts_.rights.may(caller_, identity::Right::contribute, repository_) ? Status(Done{}) : forbidden;
  if (parts_.rights.may_write(caller_, repository_)) return Done{};
  if (!is_pull_request_ref(ref)) return forbidden;
  TRY(const bool own, parts_.discussions.may_push(caller_, repository_, ref));
  return own ? Status(Done{}) : forbidden;
}

// What .gitattributes tracks goes to the content store whichever way it came, so that a commit and a push of
// the same files give the same tree.
Status Draft::move_tracked_files(const git::ObjectId& head) {
  if (regular_.empty()) return Done{};
  std::vector<std::string> paths;
  for (const auto& [path, place] : regular_) paths.push_back(path);
  const ChangedText changed = [&](const std::string& path) -> Result<std::optional<std::string>> {
    const auto found = regular_.find(path);
    if (found == regular_.end()) return std::optional<std::string>();
    const auto& put = std::get<git::PutFile>(changes_[found->second]);
    TRY(std::string text, objects_.read_blob(put.blob, regular_file_bytes_max));
    return std::optional(std::move(text));
  };
  TRY(const git::LfsAttributes attributes, read_attributes(objects_, head, paths, changed));
  for (const auto& [path, place] : regular_) {
    if (!attributes.is_lfs(path)) continue;
    auto& put = std::get<git::PutFile>(changes_[place]);
    TRY(const std::string bytes, objects_.read_blob(put.blob, regular_file_bytes_max));
    if (const auto pointer = git::parse_lfs_pointer(bytes)) continue;
    TRY(const content::FileInfo file, parts_.content.put(as_bytes(bytes)));
    TRY(put, pointer_to(path, file));
  }
  return Done{};
}

// A client that deletes "folder" without a last slash means the folder.
Status Draft::settle_deletions(const git::ObjectId& head) {
  for (git::Change& change : changes_) {
    const auto* wish = std::get_if<git::DeleteFile>(&change);
    if (wish == nullptr) continue;
    TRY(const auto there, git::find_entry(objects_, head, wish->path));
    if (there && there->is_folder()) change = git::DeleteFolder{.path = wish->path};
  }
  return Done{};
}

Result<CommitDone> Draft::publish(const Storage::Lock& lock, const CommitTarget& target, const Place& place,
                                  const git::ObjectId& commit) {
  Publication publication;
  publication.files = held_;
  CommitDone done{.commit = commit, .pull_request = {}};
  if (target.as == CommitTarget::As::commit) {
    publication.kind = "committed";
    publication.moves.push_back({.ref = place.ref, .before = place.head, .after = commit});
    if (is_pull_request_ref(place.ref)) {
      publication.more = [&](sql::Transaction& tx) {
        return parts_.discussions.add_commit(tx, caller_, repository_, place.ref, target.summary, commit);
      };
    }
  } else {
    TRY(const int64_t number, parts_.discussions.next_number(repository_.id));
    publication.kind = "pull_request_opened";
    const std::string ref = fmt::format("refs/pr/{}", number);
    publication.moves.push_back({.ref = ref, .before = {}, .after = commit});
    publication.more = [&, number, ref](sql::Transaction& tx) -> Status {
      const NewDiscussion wish{.title = target.summary,
                               .description = target.description,
                               .kind = DiscussionKind::pull_request,
                               .status = DiscussionStatus::open,
                               .base = place.ref};
      TRY_DONE(parts_.discussions.insert(tx, caller_, repository_, number, wish));
      return parts_.discussions.add_commit(tx, caller_, repository_, ref, target.summary, commit);
    };
    done.pull_request = number;
  }
  TRY_DONE(parts_.publisher.publish(lock, caller_, repository_, objects_, publication));
  return done;
}

Result<CommitDone> Draft::finish(const CommitTarget& target) {
  if (target.summary.empty()) return fail(Reason::bad_request, "A commit needs a summary");
  TRY(Place place, find_place(target));
  TRY_DONE(check_right(target, place.ref));
  const Storage::Lock lock = parts_.storage.lock(repository_.id);
  TRY(place, find_place(target));  // Again, now that nobody else moves it.
  if (!target.parent_commit.empty() && !place.head.hex().starts_with(target.parent_commit))
    return fail(Reason::stale_parent,
                "The branch was updated since you opened this page. Please refresh and try again.");
  TRY_DONE(move_tracked_files(place.head));
  TRY_DONE(settle_deletions(place.head));
  auto tree = git::edit_tree(objects_, place.head, changes_);
  if (!tree.ok() && tree.error().reason == Reason::entry_not_found)
    return fail(Reason::entry_not_found, fmt::format("{}: {}", no_such_file, tree.error().message));
  if (!tree.ok()) return tree.error();
  TRY(const git::Commit head, objects_.commit(place.head));
  if (target.as == CommitTarget::As::commit && head.tree == tree.value())
    return CommitDone{.commit = head.id, .pull_request = {}};
  const git::Signature author = signature_of(caller_, parts_.clock);
  TRY(const git::ObjectId commit, git::write_commit(objects_, {.tree = tree.value(),
                                                               .parents = {head.id},
                                                               .author = author,
                                                               .committer = author,
                                                               .message = message_of(target)}));
  TRY_DONE(parts_.checks.check_change(objects_, head.id, commit));
  TRY_DONE(parts_.checks.guard_upload(repository_, objects_, head.id, commit));
  return publish(lock, target, place, commit);
}

}  // namespace

Result<std::unique_ptr<CommitDraft>> Commits::begin(const identity::Caller& caller,
                                                    const Repository& repository) {
  TRY(git::Repository objects, parts_.storage.open(repository.id));
  TRY_DONE(objects.gather());
  return std::unique_ptr<CommitDraft>(
      std::make_unique<Draft>(parts_, caller, repository, std::move(objects)));
}

}  // namespace holdfast::repo
