#include "repo/branches.h"

#include <fmt/format.h>

#include "git/commit_write.h"
#include "git/path_rules.h"
#include "repo/author.h"
#include "repo/revisions.h"

namespace holdfast::repo {
namespace {

Error unknown(std::string_view name) {
  return fail(Reason::revision_not_found, fmt::format("Invalid rev id: {}", name.substr(0, 200)));
}

Error exists(std::string_view ref) {
  return fail(Reason::already_exists, fmt::format("Reference {} already exists", ref));
}

}  // namespace

Status Branches::move(const Storage::Lock& lock, const identity::Caller& caller, const Repository& repository,
                      const git::Repository& objects, std::string kind, RefMove move) {
  Publication publication;
  publication.kind = std::move(kind);
  publication.moves.push_back(std::move(move));
  return publisher_.publish(lock, caller, repository, objects, publication);
}

Status Branches::create(const identity::Caller& caller, const Repository& repository, const NewBranch& wish) {
  TRY(const std::string ref, branch_ref(wish.name));
  if (!ref.starts_with("refs/heads/") && !ref.starts_with("refs/convert/"))
    return fail(Reason::bad_request,
                fmt::format("Invalid reference for a branch: {}", wish.name.substr(0, 200)));
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const auto there, publisher_.ref(repository.id, ref));
  if (there && wish.if_exists == NewBranch::IfExists::refuse) return exists(ref);
  RefMove wanted{.ref = ref, .before = there.value_or(git::ObjectId()), .after = {}};
  if (wish.content == NewBranch::Content::empty) {
    const git::Signature author = signature_of(caller, clock_);
    TRY(const git::ObjectId tree, git::edit_tree(objects, {}, {}));
    TRY(wanted.after, git::write_commit(objects, {.tree = tree,
                                                  .parents = {},
                                                  .author = author,
                                                  .committer = author,
                                                  .message = "initial commit"}));
  } else {
    const std::string_view from =
        wish.starting_point.empty() ? std::string_view("main") : wish.starting_point;
    TRY(const Revision start, find_revision(publisher_, objects, repository.id, from));
    wanted.after = start.commit;
  }
  return move(lock, caller, repository, objects, "branch_created", std::move(wanted));
}

Status Branches::remove(const identity::Caller& caller, const Repository& repository, std::string_view name) {
  auto ref = branch_ref(name);
  if (!ref.ok()) return unknown(name);
  if (ref.value() == main_ref) return fail(Reason::forbidden, fmt::format("Cannot delete {}", main_ref));
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const auto there, publisher_.ref(repository.id, ref.value()));
  if (!there) return unknown(name);
  return move(lock, caller, repository, objects, "branch_deleted",
              {.ref = ref.value(), .before = *there, .after = {}});
}

Status Branches::create_tag(const identity::Caller& caller, const Repository& repository,
                            std::string_view revision, std::string_view tag) {
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const Revision target, find_revision(publisher_, objects, repository.id, revision));
  TRY_DONE(git::check_branch_name(tag));
  const std::string ref = fmt::format("refs/tags/{}", tag);
  TRY(const auto there, publisher_.ref(repository.id, ref));
  if (there) return exists(ref);
  return move(lock, caller, repository, objects, "tag_created",
              {.ref = ref, .before = {}, .after = target.commit});
}

Status Branches::remove_tag(const identity::Caller& caller, const Repository& repository,
                            std::string_view tag) {
  const std::string ref = fmt::format("refs/tags/{}", tag);
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const auto there, publisher_.ref(repository.id, ref));
  if (!there) return unknown(tag);
  return move(lock, caller, repository, objects, "tag_deleted", {.ref = ref, .before = *there, .after = {}});
}

Status Branches::squash(const identity::Caller& caller, const Repository& repository, std::string_view name,
                        std::string_view message) {
  auto ref = branch_ref(name);
  if (!ref.ok()) return unknown(name);
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const auto there, publisher_.ref(repository.id, ref.value()));
  if (!there) return unknown(name);
  TRY(const git::Commit head, objects.commit(*there));
  const git::Signature author = signature_of(caller, clock_);
  TRY(const git::ObjectId commit,
      git::write_commit(objects, {.tree = head.tree,
                                  .parents = {},
                                  .author = author,
                                  .committer = author,
                                  .message = message.empty() ? fmt::format("Super-squash branch '{}'", name)
                                                             : std::string(message)}));
  return move(lock, caller, repository, objects, "history_squashed",
              {.ref = ref.value(), .before = *there, .after = commit});
}

}  // namespace holdfast::repo
