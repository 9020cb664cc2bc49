#include "codec/hex.h"
#include "content/store.h"
#include "git/ignore.h"
#include "git/tree_list.h"
#include "repo/browser.h"
#include "repo/commits.h"
#include "repo/revisions.h"
#include "repo/storage.h"
#include "repo/upload_rules.h"

namespace holdfast::repo {
namespace {

Result<git::IgnoreRules> ignore_rules(const git::Repository& objects, const git::ObjectId& commit,
                                      std::optional<std::string_view> given) {
  if (given) return git::IgnoreRules::parse(*given);
  TRY(const auto entry, git::find_entry(objects, commit, ".gitignore"));
  if (!entry || entry->is_folder() || entry->size > git::IgnoreRules::text_bytes_max)
    return git::IgnoreRules::parse("");
  TRY(const std::string text, objects.read_blob(entry->id, git::IgnoreRules::text_bytes_max));
  return git::IgnoreRules::parse(text);
}

UploadMode mode_of(const git::LfsAttributes& attributes, const PreuploadFile& file) {
  // git-lfs leaves empty files alone, and so do the clients.
  if (file.size == 0) return UploadMode::regular;
  if (attributes.is_lfs(file.path) || file.size > regular_file_bytes_max) return UploadMode::large;
  return looks_like_text(file.sample) ? UploadMode::regular : UploadMode::large;
}

}  // namespace

Result<std::vector<PreuploadAnswer>> Commits::preupload(const Repository& repository,
                                                        std::string_view revision,
                                                        std::span<const PreuploadFile> files,
                                                        std::optional<std::string_view> git_ignore) {
  TRY(const git::Repository objects, parts_.storage.open(repository.id));
  TRY(const Revision head, find_revision(parts_.publisher, objects, repository.id, revision));
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (const PreuploadFile& file : files) {
    TRY_DONE(check_file_path(file.path));
    paths.push_back(file.path);
  }
  TRY(const git::LfsAttributes attributes, read_attributes(objects, head.commit, paths));
  TRY(const git::IgnoreRules ignored, ignore_rules(objects, head.commit, git_ignore));
  std::vector<PreuploadAnswer> answers;
  answers.reserve(files.size());
  for (const PreuploadFile& file : files) {
    PreuploadAnswer answer{.path = file.path,
                           .mode = mode_of(attributes, file),
                           .ignore = ignored.ignores(file.path),
                           .oid = {}};
    TRY(const auto there, parts_.browser.find(repository, objects, head.commit, file.path));
    if (there && !there->is_folder())
      answer.oid = there->large ? content::to_text(there->large->sha256) : there->id.hex();
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace holdfast::repo
