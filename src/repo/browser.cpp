#include "repo/browser.h"

#include <fmt/format.h>

#include "git/lfs_pointer.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

// The smallest and largest blob worth reading as a pointer: three lines, the digest alone has 64 characters.
constexpr uint64_t pointer_bytes_min = 100;

FileEntry entry_of(const git::TreeEntry& entry) {
  return {.path = entry.path, .kind = entry.kind, .id = entry.id, .blob_bytes = entry.size, .large = {}};
}

bool may_be_pointer(const FileEntry& entry) {
  return (entry.kind == git::EntryKind::file || entry.kind == git::EntryKind::executable) &&
         entry.blob_bytes >= pointer_bytes_min && entry.blob_bytes <= git::lfs_pointer_bytes_max;
}

}  // namespace

Error no_such_entry(std::string_view path) {
  return fail(Reason::entry_not_found, fmt::format("Entry not found: {}", path.substr(0, 300)));
}

Status Browser::fill_large(const Repository& repository, const git::Repository& objects,
                           std::span<FileEntry> entries) {
  std::vector<std::pair<FileEntry*, git::LfsPointer>> pointers;
  for (FileEntry& entry : entries) {
    if (!may_be_pointer(entry)) continue;
    TRY(const std::string text, objects.read_blob(entry.id, git::lfs_pointer_bytes_max));
    if (auto pointer = git::parse_lfs_pointer(text)) pointers.emplace_back(&entry, std::move(*pointer));
  }
  if (pointers.empty()) return Done{};
  return database_.read([&](sql::Transaction& tx) -> Status {
    for (auto& [entry, pointer] : pointers) {
      std::string hash;
      TRY_DONE(tx.query("SELECT file_hash FROM repo_objects WHERE repo = ? AND sha256 = ? AND size = ?",
                        {repository.id.raw, pointer.sha256, static_cast<int64_t>(pointer.size)},
                        [&hash](const sql::Row& row) {
                          hash = row.text(0);
                          return false;
                        }));
      if (hash.empty()) continue;
      TRY(const content::Sha256Digest sha256, content::parse_sha256(pointer.sha256));
      TRY(const auto file, content::parse_hash<content::FileHash>(hash));
      entry->large =
          LargeFile{.sha256 = sha256, .hash = file, .size = pointer.size, .pointer_bytes = entry->blob_bytes};
    }
    return Done{};
  });
}

Result<FilePage> Browser::list(const Repository& repository, const git::Repository& objects,
                               const git::ObjectId& commit, const git::ListOptions& options) {
  TRY(const git::TreePage page, git::list_tree(objects, commit, options));
  FilePage out{.entries = {}, .more = page.more};
  out.entries.reserve(page.entries.size());
  for (const git::TreeEntry& entry : page.entries) out.entries.push_back(entry_of(entry));
  TRY_DONE(fill_large(repository, objects, out.entries));
  return out;
}

Result<std::vector<FileEntry>> Browser::files(const Repository& repository, const git::Repository& objects,
                                              const git::ObjectId& commit, size_t files_max) {
  std::vector<FileEntry> out;
  git::ListOptions options;
  options.depth = git::Depth::all;
  for (bool more = true; more && out.size() < files_max;) {
    TRY(FilePage page, list(repository, objects, commit, options));
    if (page.entries.empty()) break;
    options.after = page.entries.back().path;
    more = page.more;
    for (FileEntry& entry : page.entries)
      if (!entry.is_folder() && out.size() < files_max) out.push_back(std::move(entry));
  }
  return out;
}

Result<std::vector<std::string>> Browser::paths(const git::Repository& objects, const git::ObjectId& commit,
                                                size_t files_max) {
  std::vector<std::string> out;
  git::ListOptions options;
  options.depth = git::Depth::all;
  options.sizes = git::Sizes::leave_zero;
  for (bool more = true; more && out.size() < files_max;) {
    TRY(git::TreePage page, git::list_tree(objects, commit, options));
    if (page.entries.empty()) break;
    options.after = page.entries.back().path;
    more = page.more;
    for (git::TreeEntry& entry : page.entries)
      if (!entry.is_folder() && out.size() < files_max) out.push_back(std::move(entry.path));
  }
  return out;
}

Result<std::optional<FileEntry>> Browser::find(const Repository& repository, const git::Repository& objects,
                                               const git::ObjectId& commit, std::string_view path) {
  TRY(const auto found, git::find_entry(objects, commit, path));
  if (!found) return std::optional<FileEntry>();
  FileEntry entry = entry_of(*found);
  TRY_DONE(fill_large(repository, objects, std::span(&entry, 1)));
  return std::optional(std::move(entry));
}

}  // namespace holdfast::repo
