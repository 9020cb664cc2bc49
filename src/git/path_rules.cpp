#include "git/path_rules.h"

#include <git2/refs.h>

#include <algorithm>
#include <cctype>

namespace holdfast::git {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// One code point at `at`, which moves past it; 0xFFFFFFFF for what is not UTF-8 (overlong, surrogate, cut).
uint32_t next_code_point(std::string_view text, size_t& at) {
  constexpr uint32_t bad = 0xFFFFFFFF;
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 && first < 0xF5   ? 3
                   : first >= 0xE0 && first < 0xF0 ? 2
                   : first >= 0xC2 && first < 0xE0 ? 1
                                                   : 0;
  if (more == 0) return bad;
  uint32_t value = first & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    if (at == text.size()) return bad;
    const auto byte = static_cast<unsigned char>(text[at++]);
    if ((byte & 0xC0) != 0x80) return bad;
    value = value << 6 | (byte & 0x3F);
  }
  const bool overlong = (more == 2 && value < 0x800) || (more == 3 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return bad;
  return value;
}

// HFS+ drops these when it compares names (git's utf8.c, next_hfs_char).
bool ignored_by_hfs(uint32_t c) {
  return (c >= 0x200C && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x206A && c <= 0x206F) ||
         c == 0xFEFF;
}

// Whether some file system reads `name` as .git: any case, HFS's ignored code points, NTFS's short name, and
// NTFS's dropping of trailing dots and spaces and of streams.
bool reads_as_dot_git(std::string_view name) {
  std::string plain;
  for (size_t at = 0; at < name.size();) {
    const size_t start = at;
    if (ignored_by_hfs(next_code_point(name, at))) continue;
    for (size_t i = start; i < at; ++i) plain += lower(name[i]);
  }
  plain = plain.substr(0, plain.find(':'));
  while (!plain.empty() && (plain.back() == '.' || plain.back() == ' ')) plain.pop_back();
  return plain == ".git" || plain == "git~1";
}

std::string shown(std::string_view path) {
  std::string text;
  for (const char c : path.substr(0, 100)) text += c >= 0x20 && c < 0x7F ? c : '?';
  return text;
}

}  // namespace

Status check_path_name(std::string_view name) {
  const auto refuse = [name](const char* why) {
    return fail(Reason::bad_request, "the path segment '" + shown(name) + "' " + why);
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > name_bytes_max) return refuse("is longer than 255 bytes");
  if (name == "." || name == "..") return refuse("is not allowed");
  for (size_t at = 0; at < name.size();) {
    const uint32_t c = next_code_point(name, at);
    if (c == 0xFFFFFFFF) return refuse("is not UTF-8");
    if (c < 0x20 || c == 0x7F) return refuse("has a control character");
    if (c == '\\' || c == '/') return refuse("has a slash or backslash");
  }
  if (reads_as_dot_git(name)) return refuse("is reserved by git");
  return Done{};
}

Status check_path(std::string_view path) {
  if (path.empty()) return fail(Reason::bad_request, "the path is empty");
  if (path.size() > path_bytes_max) return fail(Reason::bad_request, "the path is longer than 1024 bytes");
  if (static_cast<size_t>(std::count(path.begin(), path.end(), '/')) >= path_depth_max)
    return fail(Reason::bad_request, "the path is more than 64 folders deep");
  while (true) {
    const size_t end = path.find('/');
    TRY_DONE(check_path_name(path.substr(0, end)));
    if (end == path.npos) return Done{};
    path.remove_prefix(end + 1);
  }
}

Status check_ref_name(std::string_view name) {
  const std::string text(name);
  int valid = 0;
  if (text.size() <= 255 && text.find('\0') == text.npos && text.starts_with("refs/") &&
      git_reference_name_is_valid(&valid, text.c_str()) == 0 && valid == 1)
    return Done{};
  return fail(Reason::bad_request, "'" + shown(name) + "' is not a valid reference name");
}

Status check_branch_name(std::string_view name) {
  const bool hash = name.size() == 40 && std::all_of(name.begin(), name.end(),
                                                     [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (hash || name.starts_with('-') || name.starts_with("refs/") || name == "HEAD")
    return fail(Reason::bad_request, "Invalid reference for a branch: '" + shown(name) + "'");
  return check_ref_name("refs/heads/" + std::string(name));
}

}  // namespace holdfast::git
