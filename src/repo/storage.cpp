#include "repo/storage.h"

#include <fmt/format.h>

namespace holdfast::repo {

io::Path Storage::relative(RepoId repository) const {
  return fmt::format("git/{:02x}/{}.git", repository.raw & 0xff, repository.raw);
}

io::Path Storage::folder(RepoId repository) const { return disk_.absolute(relative(repository)); }

Storage::Lock Storage::lock(RepoId repository) {
  return {repository, locks_[static_cast<size_t>(repository.raw) % locks_.size()]};
}

Result<git::Repository> Storage::create(RepoId repository) {
  TRY_DONE(disk_.make_directories(relative(repository).parent_path()));
  // Left over from a creation that never reached its transaction.
  TRY_DONE(disk_.remove_tree(relative(repository)));
  return git::Repository::init(folder(repository));
}

Result<git::Repository> Storage::open(RepoId repository) const {
  auto opened = git::Repository::open(folder(repository));
  if (!opened.ok() && opened.error().reason == Reason::repo_not_found)
    return fail(Reason::data_corrupt, "the repository's objects are missing on this server");
  return opened;
}

Status Storage::remove(RepoId repository) { return disk_.remove_tree(relative(repository)); }

}  // namespace holdfast::repo
