#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "repo/publisher.h"
#include "repo/repository.h"

namespace holdfast::repo {

struct NewBranch {
  std::string name;
  std::string starting_point;  // A revision; empty: the head of main.
  enum class Content : uint8_t { of_starting_point, empty } content = Content::of_starting_point;
  enum class IfExists : uint8_t { refuse, overwrite } if_exists = IfExists::refuse;
};

// Refs moved without new content. Rights are checked by the caller. Safe from any thread.
class Branches {
 public:
  Branches(Storage& storage, Publisher& publisher, const Clock& clock)
      : storage_(storage), publisher_(publisher), clock_(clock) {}

  // already_exists "Reference refs/heads/X already exists"; bad_request "Invalid reference for a branch".
  Status create(const identity::Caller& caller, const Repository& repository, const NewBranch& wish);
  // forbidden for main; revision_not_found when there is no such branch.
  Status remove(const identity::Caller& caller, const Repository& repository, std::string_view name);
  Status create_tag(const identity::Caller& caller, const Repository& repository, std::string_view revision,
                    std::string_view tag);
  Status remove_tag(const identity::Caller& caller, const Repository& repository, std::string_view tag);
  // The branch becomes one commit with its present files.
  Status squash(const identity::Caller& caller, const Repository& repository, std::string_view name,
                std::string_view message);

 private:
  Status move(const Storage::Lock& lock, const identity::Caller& caller, const Repository& repository,
              const git::Repository& objects, std::string kind, RefMove move);

  Storage& storage_;
  Publisher& publisher_;
  const Clock& clock_;
};

}  // namespace holdfast::repo
