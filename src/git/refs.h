#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

struct Ref {
  std::string name;  // Full: "refs/heads/main".
  ObjectId target;   // As stored: an annotated tag is not followed.
};

inline constexpr size_t refs_max = 100'000;

// References on disk are a projection of the truth in SQL: these functions set them to what was decided
// there.
Result<std::vector<Ref>> list_refs(const Repository& repository);  // Sorted by name; symbolic ones left out.
Result<std::optional<ObjectId>> read_ref(const Repository& repository, std::string_view name);

// Sets `name` to `target` (zero deletes it). With `expected` only when it is that now (zero: when it does not
// exist); stale_parent otherwise. The object must exist. Durable when it returns; already so is fine.
Status set_ref(const Repository& repository, std::string_view name, const ObjectId& target,
               std::optional<ObjectId> expected = std::nullopt);

// Makes the references on disk those of `truth`, and returns how many had to change.
Result<size_t> project_refs(const Repository& repository, const std::vector<Ref>& truth);

}  // namespace holdfast::git
