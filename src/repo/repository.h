#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "identity/permission.h"

namespace holdfast::repo {

using RepoId = Id<struct RepoTag>;

enum class RepoType : uint8_t { model, dataset, space };
using identity::Visibility;
// Who gets past the gate of a gated repository: everybody who asks, or those an administrator accepted.
enum class Gate : uint8_t { none, automatic, manual };

std::string_view type_name(RepoType type);    // "model"
std::string_view type_plural(RepoType type);  // "models", as in /api/models
std::string_view url_prefix(RepoType type);   // "", "datasets/", "spaces/": before ns/name in web addresses.
std::optional<RepoType> type_of_name(std::string_view name);
std::optional<RepoType> type_of_plural(std::string_view plural);

// One row of repo_repositories: what is known of a repository without opening it. A value; goes stale.
struct Repository {
  RepoId id;
  RepoType type = RepoType::model;
  std::string ns, name;
  Visibility visibility = Visibility::public_;
  Gate gate = Gate::none;
  bool disabled = false;
  bool deleted = false;  // Kept hidden, because a live release or endpoint stands on a revision of it.
  int64_t likes = 0, downloads = 0;
  std::string sdk;      // Of a space.
  std::string creator;  // User name.
  WallTime created{}, updated{};

  std::string full_name() const { return ns + "/" + name; }
};

// A repository as a caller names it.
struct RepoName {
  RepoType type = RepoType::model;
  std::string ns, name;
};

// The client's own rules (huggingface_hub validate_repo_id): 1 to 96 characters of [A-Za-z0-9._-], no "--" or
// "..", neither starting nor ending with '-' or '.', not ending in ".git" or ".ipynb". bad_request otherwise.
Status check_repo_name(std::string_view name);
// "ns/name", both checked.
Result<RepoName> parse_repo_name(RepoType type, std::string_view full_name);

}  // namespace holdfast::repo
