#include "repo/revisions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "git/path_rules.h"
#include "repo/upstream_refs.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view pull_request_prefix = "refs/pr/";
constexpr size_t digits_least = 4, digits_whole = 40;

Error unknown_revision(std::string_view name) {
  return fail(Reason::revision_not_found, fmt::format("Invalid rev id: {}", name.substr(0, 200)));
}

bool looks_like_commit(std::string_view name) {
  return name.size() >= digits_least && name.size() <= digits_whole &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Refs that a name may mean, the first one there wins; some are empty.
std::array<std::string, 3> refs_named(std::string_view name) {
  return {std::string(name.starts_with("refs/") ? name : ""),
          name == "HEAD" ? std::string(main_ref) : fmt::format("refs/heads/{}", name),
          fmt::format("refs/tags/{}", name)};
}

}  // namespace

bool is_pull_request_ref(std::string_view ref) {
  if (!ref.starts_with(pull_request_prefix)) return false;
  const std::string_view number = ref.substr(pull_request_prefix.size());
  return !number.empty() && number.size() <= 9 && number.front() != '0' &&
         std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<Revision> find_revision(Publisher& publisher, const git::Repository& objects, RepoId repository,
                               std::string_view name) {
  for (const std::string& ref : refs_named(name)) {
    if (ref.empty()) continue;
    TRY(const auto target, publisher.ref(repository, ref));
    if (!target) continue;
    TRY(const git::Commit commit, objects.commit(*target));
    return Revision{.commit = commit.id, .ref = ref};
  }
  if (!looks_like_commit(name)) return unknown_revision(name);
  auto found = objects.find_commit(name);
  if (!found.ok() && name.size() == digits_whole) {
    TRY(const auto upstream, publisher.ref(repository, fmt::format("{}{}", upstream_prefix, name)));
    if (upstream) return Revision{.commit = *upstream, .ref = ""};
  }
  if (!found.ok()) return unknown_revision(name);
  return Revision{.commit = found.value(), .ref = ""};
}

Result<Revision> Revisions::find(RepoId repository, std::string_view name) {
  for (std::string& ref : refs_named(name)) {
    if (ref.empty()) continue;
    TRY(const auto target, publisher_.ref(repository, ref));
    if (!target) continue;
    const std::pair key(repository.raw, *target);
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = targets_.find(key); known != targets_.end())
        return Revision{.commit = known->second, .ref = std::move(ref)};
    }
    TRY(const git::Repository objects, storage_.open(repository));
    TRY(const git::Commit commit, objects.commit(*target));
    const std::lock_guard lock(mutex_);
    if (targets_.size() >= targets_max) targets_.clear();
    targets_.emplace(key, commit.id);
    return Revision{.commit = commit.id, .ref = std::move(ref)};
  }
  TRY(const git::Repository objects, storage_.open(repository));
  return find_revision(publisher_, objects, repository, name);
}

Result<std::string> branch_ref(std::string_view name) {
  if (is_pull_request_ref(name) || name.starts_with("refs/convert/")) {
    TRY_DONE(git::check_ref_name(name));
    return std::string(name);
  }
  std::string_view shortened = name;
  if (shortened.starts_with("refs/heads/")) shortened.remove_prefix(11);
  const Status good = git::check_branch_name(shortened);
  if (!good.ok() || shortened.starts_with("refs/"))
    return fail(Reason::bad_request, fmt::format("Invalid reference for a branch: {}", name.substr(0, 200)));
  return fmt::format("refs/heads/{}", shortened);
}

}  // namespace holdfast::repo
