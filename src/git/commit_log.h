#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

struct LogPage {
  std::vector<Commit> commits;  // Newest first, parents after children.
  bool more = false;
};

// The history of `from`, `skip` commits left out. skip + count_max is at most 100'000.
Result<LogPage> read_log(const Repository& repository, const ObjectId& from, size_t skip, size_t count_max);

// How many commits `from` reaches, counted up to `count_max`.
Result<size_t> count_commits(const Repository& repository, const ObjectId& from, size_t count_max);

// For each path the newest commit on the way back from `from` that changed it. Looks at no more than
// `commits_max` commits; paths whose change lies further back are answered with the last one looked at.
Result<std::unordered_map<std::string, Commit>> last_changes(const Repository& repository,
                                                             const ObjectId& from,
                                                             std::span<const std::string> paths,
                                                             size_t commits_max = 5000);

// Whether `ancestor` is `descendant` or lies in its history.
Result<bool> is_ancestor(const Repository& repository, const ObjectId& ancestor, const ObjectId& descendant);

}  // namespace holdfast::git
