#pragma once

#include <git2/types.h>

#include <memory>
#include <string_view>

#include "base/result.h"
#include "git/object_id.h"

// Free functions of libgit2, declared so that a handle's header needs no more than types.h.
extern "C" {
void git_commit_free(git_commit*);
void git_tree_free(git_tree*);
void git_blob_free(git_blob*);
void git_object_free(git_object*);
void git_odb_free(git_odb*);
void git_revwalk_free(git_revwalk*);
void git_reference_free(git_reference*);
void git_reference_iterator_free(git_reference_iterator*);
void git_treebuilder_free(git_treebuilder*);
void git_index_free(git_index*);
}

namespace holdfast::git {

// Owns one libgit2 object: Handle<git_tree> tree; git_tree_lookup(out(tree), …).
template <class T, void (*free_one)(T*)>
struct HandleFree {
  void operator()(T* raw) const { free_one(raw); }
};
using CommitHandle = std::unique_ptr<git_commit, HandleFree<git_commit, git_commit_free>>;
using TreeHandle = std::unique_ptr<git_tree, HandleFree<git_tree, git_tree_free>>;
using BlobHandle = std::unique_ptr<git_blob, HandleFree<git_blob, git_blob_free>>;
using ObjectHandle = std::unique_ptr<git_object, HandleFree<git_object, git_object_free>>;
using OdbHandle = std::unique_ptr<git_odb, HandleFree<git_odb, git_odb_free>>;
using WalkHandle = std::unique_ptr<git_revwalk, HandleFree<git_revwalk, git_revwalk_free>>;
using RefHandle = std::unique_ptr<git_reference, HandleFree<git_reference, git_reference_free>>;
using RefIteratorHandle =
    std::unique_ptr<git_reference_iterator, HandleFree<git_reference_iterator, git_reference_iterator_free>>;
using TreeBuilderHandle = std::unique_ptr<git_treebuilder, HandleFree<git_treebuilder, git_treebuilder_free>>;
using IndexHandle = std::unique_ptr<git_index, HandleFree<git_index, git_index_free>>;

// What a return code of libgit2 means, in our words: "reading a tree: not found". The library's own message
// is left out, because it may hold the server's paths.
Error git_error(int code, std::string_view doing);

// TRY_DONE(done(git_call(…), "reading a tree")): the error of a negative return code.
Status done(int code, std::string_view doing);

class Repository;
// The tree of a commit; the empty tree for a zero id.
Result<TreeHandle> tree_of_commit(const Repository& repository, const ObjectId& commit);
Result<TreeHandle> look_up_tree(const Repository& repository, const ObjectId& tree);

}  // namespace holdfast::git
