#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "git/commit_write.h"
#include "git/merge.h"
#include "git/tree_diff.h"
#include "repo/author.h"
#include "repo/discussions.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr size_t diff_bytes_max = 1 << 20;

struct Sides {
  git::ObjectId base, head;
};

Result<Sides> sides_of(Publisher& publisher, RepoId repository, const Discussion& pull_request) {
  TRY(const auto base, publisher.ref(repository, pull_request.base));
  TRY(const auto head, publisher.ref(repository, fmt::format("refs/pr/{}", pull_request.number)));
  if (!base || !head) return fail(Reason::revision_not_found, "The pull request's branch is gone");
  return Sides{.base = *base, .head = *head};
}

}  // namespace

Result<git::ObjectId> Discussions::merge(const identity::Caller& caller, const Repository& repository,
                                         int64_t number, std::string_view comment) {
  if (!rights_.may_write(caller, repository))
    return fail(Reason::forbidden, "Only those who may write the repository can merge");
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const Discussion there, find(repository.id, number));
  if (there.kind != DiscussionKind::pull_request) return fail(Reason::bad_request, "This is no pull request");
  if (there.status != DiscussionStatus::open)
    return fail(Reason::bad_request, fmt::format("A pull request that is {} cannot be merged: open it first",
                                                 status_name(there.status)));
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const Sides sides, sides_of(publisher_, repository.id, there));
  TRY(const git::Merge merged, git::merge_trees(objects, sides.base, sides.head));
  if (!merged.conflicts.empty())
    return fail(Code::conflict, fmt::format("These files conflict: {}", fmt::join(merged.conflicts, ", ")));
  const git::Signature author = signature_of(caller, clock_);
  TRY(const git::ObjectId commit,
      git::write_commit(objects, {.tree = merged.tree,
                                  .parents = {sides.base, sides.head},
                                  .author = author,
                                  .committer = author,
                                  .message = fmt::format("{} (#{})", there.title, number)}));
  Publication publication;
  publication.kind = "pull_request_merged";
  publication.moves.push_back({.ref = there.base, .before = sides.base, .after = commit});
  publication.more = [&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run(
            "UPDATE repo_discussions SET status = 'merged', merge_commit = ? WHERE repo = ? AND number = ?",
            {commit.hex(), repository.id.raw, number}));
    if (!comment.empty()) {
      TRY([[maybe_unused]] const DiscussionEvent said,
          add_event(tx, repository.id, number, caller.name, "comment", comment_data(caller.name, comment)));
    }
    TRY([[maybe_unused]] const DiscussionEvent changed,
        add_event(tx, repository.id, number, caller.name, "status-change",
                  codec::to_text(boost::json::object{{"status", "merged"}})));
    return Done{};
  };
  TRY_DONE(publisher_.publish(lock, caller, repository, objects, publication));
  return commit;
}

Result<std::vector<std::string>> Discussions::conflicts(const Repository& repository,
                                                        const Discussion& pull_request) {
  if (pull_request.status == DiscussionStatus::merged) return std::vector<std::string>();
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const Sides sides, sides_of(publisher_, repository.id, pull_request));
  TRY(git::Merge merged, git::merge_trees(objects, sides.base, sides.head));
  return std::move(merged.conflicts);
}

Result<std::string> Discussions::diff(const Repository& repository, const Discussion& pull_request) {
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const Sides sides, sides_of(publisher_, repository.id, pull_request));
  TRY(const auto base, git::merge_base(objects, sides.base, sides.head));
  return git::diff_text(objects, base.value_or(git::ObjectId()), sides.head, diff_bytes_max);
}

}  // namespace holdfast::repo
