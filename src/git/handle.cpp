#include "git/handle.h"

#include <git2/commit.h>
#include <git2/errors.h>
#include <git2/index.h>
#include <git2/tree.h>

#include <cerrno>
#include <string>

#include "git/repository.h"

namespace holdfast::git {

Error git_error(int code, std::string_view doing) {
  const int system_error = errno;
  const git_error_code kind = static_cast<git_error_code>(code);
  const std::string what(doing);
  if (kind == GIT_ENOTFOUND) return fail(Code::not_found, what + ": not found");
  if (kind == GIT_EEXISTS) return fail(Reason::already_exists, what + ": it exists");
  if (kind == GIT_EAMBIGUOUS) return fail(Code::conflict, what + ": the prefix is ambiguous");
  if (kind == GIT_EMODIFIED || kind == GIT_ELOCKED)
    return fail(Reason::stale_parent, what + ": it changed meanwhile");
  if (kind == GIT_EINVALIDSPEC || kind == GIT_EINVALID)
    return fail(Code::invalid, what + ": not a valid name");
  if (kind == GIT_EMISMATCH) return fail(Reason::data_corrupt, what + ": the bytes do not match the name");
  if (kind == GIT_EBUFS) return fail(Code::too_large, what + ": too much for one commit");
  const ::git_error* last = ::git_error_last();
  const int area = last == nullptr ? GIT_ERROR_NONE : last->klass;
  const std::string_view text = last == nullptr ? "" : last->message;
  if (area == GIT_ERROR_OS && (system_error == ENOSPC || system_error == EDQUOT ||
                               text.find("No space left") != text.npos || text.find("quota") != text.npos))
    return fail(Reason::disk_full, what + ": the disk is full");
  if (area == GIT_ERROR_ZLIB || area == GIT_ERROR_OBJECT || area == GIT_ERROR_TREE ||
      area == GIT_ERROR_INDEXER)
    return fail(Reason::data_corrupt, what + ": the object does not parse");
  return fail(Code::internal, what + " failed");
}

Status done(int code, std::string_view doing) {
  if (code < 0) return git_error(code, doing);
  return Done{};
}

Result<TreeHandle> look_up_tree(const Repository& repository, const ObjectId& tree) {
  const git_oid id = tree.to_git();
  git_tree* raw = nullptr;
  TRY_DONE(done(git_tree_lookup(&raw, repository.raw(), &id), "reading a tree"));
  return TreeHandle(raw);
}

Result<TreeHandle> tree_of_commit(const Repository& repository, const ObjectId& commit) {
  if (commit.zero()) {
    git_treebuilder* builder = nullptr;
    TRY_DONE(done(git_treebuilder_new(&builder, repository.raw(), nullptr), "making a tree"));
    const TreeBuilderHandle owned(builder);
    git_oid empty;
    TRY_DONE(done(git_treebuilder_write(&empty, builder), "writing a tree"));
    return look_up_tree(repository, ObjectId(empty));
  }
  TRY(const Commit found, repository.commit(commit));
  return look_up_tree(repository, found.tree);
}

}  // namespace holdfast::git
