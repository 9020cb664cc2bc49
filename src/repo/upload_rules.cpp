#include "repo/upload_rules.h"

#include <algorithm>
#include <set>

#include "git/path_rules.h"
#include "git/tree_list.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view attributes_name = ".gitattributes";
constexpr size_t folders_max = 2000;

// "", "a", "a/b" for "a/b/c".
void add_folders(std::string_view path, std::set<std::string>& folders) {
  for (size_t slash = path.rfind('/'); slash != std::string_view::npos && folders.size() < folders_max;
       slash = path.rfind('/')) {
    path = path.substr(0, slash);
    if (!folders.emplace(path).second) return;
  }
}

Result<std::optional<std::string>> text_at(const git::Repository& objects, const git::ObjectId& commit,
                                           const std::string& path) {
  if (commit.zero()) return std::optional<std::string>();
  TRY(const auto entry, git::find_entry(objects, commit, path));
  if (!entry || entry->is_folder() || entry->size > git::LfsAttributes::file_bytes_max)
    return std::optional<std::string>();
  TRY(std::string text, objects.read_blob(entry->id, git::LfsAttributes::file_bytes_max));
  return std::optional(std::move(text));
}

// Length of the UTF-8 sequence that starts with `lead`; 0 when none does.
size_t sequence_length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

}  // namespace

Result<git::LfsAttributes> read_attributes(const git::Repository& objects, const git::ObjectId& commit,
                                           std::span<const std::string> paths, const ChangedText& changed) {
  std::set<std::string> folders = {""};
  for (const std::string& path : paths) add_folders(path, folders);
  git::LfsAttributes attributes;
  for (const std::string& folder : folders) {
    const std::string path =
        folder.empty() ? std::string(attributes_name) : folder + "/" + std::string(attributes_name);
    std::optional<std::string> text;
    if (changed) {
      TRY(text, changed(path));
    }
    if (!text) {
      TRY(text, text_at(objects, commit, path));
    }
    if (text) TRY_DONE(attributes.add(folder, *text));
  }
  return attributes;
}

Status check_file_path(std::string_view path) {
  Status checked = git::check_path(path);
  if (!checked.ok() && checked.error().code == Code::invalid)
    return fail(Reason::bad_path, checked.error().message);
  return checked;
}

bool looks_like_text(ByteView sample) {
  for (size_t at = 0; at < sample.size();) {
    const auto lead = std::to_integer<uint8_t>(sample[at]);
    const size_t length = sequence_length(lead);
    if (lead == 0 || length == 0) return false;
    const size_t seen = std::min(length, sample.size() - at);
    for (size_t i = 1; i < seen; ++i)
      if ((std::to_integer<uint8_t>(sample[at + i]) & 0xc0) != 0x80) return false;
    at += seen;
  }
  return true;
}

}  // namespace holdfast::repo
