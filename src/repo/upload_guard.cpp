#include <fmt/format.h>

#include <algorithm>

#include "content/store.h"
#include "git/lfs_pointer.h"
#include "git/tree_diff.h"
#include "repo/checks.h"
#include "repo/clearance.h"
#include "repo/commits.h"
#include "repo/repositories.h"
#include "repo/stored_source.h"
#include "scan/sensitive.h"

namespace holdfast::repo {
namespace {

constexpr size_t changed_files_max = 100'000;

// A submodule, which is not here and no file, or over the limit that the gate holds.
bool is_unreadable(const Error& error) {
  return error.code == Code::not_found || error.code == Code::invalid || error.code == Code::too_large;
}

}  // namespace

Status Checks::guard_upload(const Repository& repository, const git::Repository& objects,
                            const git::ObjectId& before, const git::ObjectId& after) {
  if (policy_.sensitive != OnSensitive::refuse) return Done{};
  TRY(const Clearance clearance, clearance_of(parts_.database, repository.id));
  if (clearance.kinds.size() == scan::sensitive_kinds) return Done{};
  TRY(const git::DiffList diff, git::diff_trees(objects, before, after, changed_files_max));
  if (diff.cut) return fail(Reason::body_too_large, "The change touches too many files at once");
  for (const git::DiffEntry& entry : diff.entries) {
    if (entry.kind == git::DiffKind::removed) continue;
    const auto text = objects.read_blob(entry.after, regular_file_bytes_max);
    if (!text.ok()) {
      if (is_unreadable(text.error())) continue;
      return text.error();  // What could not be looked at is not let in.
    }
    std::vector<scan::SensitiveFinding> found;
    if (const auto pointer = git::parse_lfs_pointer(text.value())) {
      TRY(const content::Sha256Digest digest, content::parse_sha256(pointer->sha256));
      const auto file = parts_.content.find(digest);
      if (!file.ok() && file.error().code == Code::not_found) continue;  // A small text.
      if (!file.ok()) return file.error();
      TRY(auto reader, parts_.content.open(file.value().hash));
      StoredSource source(std::move(reader));
      TRY(found, scan::find_sensitive(source, entry.path));
    } else {
      const auto source = scan::memory_source(as_bytes(text.value()));
      TRY(found, scan::find_sensitive(*source, entry.path));
    }
    for (const scan::SensitiveFinding& each : found) {
      if (std::ranges::find(clearance.kinds, each.kind) != clearance.kinds.end()) continue;
      return fail(
          Reason::policy_refused,
          fmt::format(
              "{}, line {}: {} ({} places), and {} is {} and not cleared for it; who administers it may "
              "clear it, with a reason [sensitive.{}]",
              entry.path, each.line, each.reason, each.places, repository.full_name(),
              visibility_name(repository.visibility), scan::sensitive_name(each.kind)));
    }
  }
  return Done{};
}

}  // namespace holdfast::repo
