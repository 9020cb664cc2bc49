#pragma once

#include "base/result.h"
#include "git/repository.h"

struct git_odb_backend;

namespace holdfast::git {

// From so many objects on they are written as one pack: two fsyncs in all instead of two an object.
inline constexpr size_t packed_objects_min = 32;
// In one commit; beyond it, write_blob answers too_large.
inline constexpr size_t gathered_bytes_max = 512 << 20;

// Puts a store in memory before the repository's own objects: what is written stays there, and can be read,
// until write_gathered. Owned by the repository from then on.
Result<git_odb_backend*> gather_objects(const Repository& repository);
// Makes what was gathered durable, and forgets it: loose when there is little, one pack otherwise.
Status write_gathered(const Repository& repository, git_odb_backend* gathered);

}  // namespace holdfast::git
