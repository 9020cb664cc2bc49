#pragma once

#include <functional>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"
#include "repo/publisher.h"
#include "repo/repositories.h"

namespace holdfast::repo {

// What a repository holds from the moment on in which it is seen: writes objects, says where refs go.
using FirstContent = std::function<Result<Publication>(const Repository&, git::Repository& objects)>;

struct CreationParts {
  sql::Database& database;
  Storage& storage;
  Publisher& publisher;
  Repositories& repositories;
  const Rights& rights;
  const identity::Audit& audit;
  const Clock& clock;
};

// As Repositories::create, with another first content. Nobody sees the repository before it: both become true
// in one transaction, and what a crash leaves before that is swept at the next start.
Result<Repository> create_repository(const CreationParts& parts, const identity::Caller& caller,
                                     const NewRepository& wish, const FirstContent& content);

// Removes folders of objects that no repository has and in which no ref ever stood; returns how many. Only
// while nothing is created.
Result<size_t> sweep_unborn(io::Disk& disk, const Storage& storage, Repositories& repositories);

}  // namespace holdfast::repo
