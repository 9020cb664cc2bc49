#include "git/ignore.h"

#include <algorithm>

namespace holdfast::git {

namespace {

// Trailing spaces go unless the last is escaped (dir.c, trim_trailing_spaces).
std::string_view without_trailing_spaces(std::string_view line) {
  size_t keep = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    if (line[at] == ' ') continue;
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    keep = at + 1;
  }
  return line.substr(0, keep);
}

}  // namespace

Result<IgnoreRules> IgnoreRules::parse(std::string_view text) {
  if (text.size() > text_bytes_max) return fail(Code::too_large, "a .gitignore file is larger than 1 MiB");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  IgnoreRules made;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with('#')) continue;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = without_trailing_spaces(line);
    const bool negated = line.starts_with('!');
    if (negated) line.remove_prefix(1);
    const bool folders_only = line.ends_with('/');
    if (folders_only) line.remove_suffix(1);
    if (line.empty()) continue;
    if (made.rules_.size() == rules_max) return fail(Code::too_large, "too many lines of .gitignore");
    made.rules_.push_back({PathPattern(line, ""), negated, folders_only});
  }
  return made;
}

bool IgnoreRules::ignores(std::string_view file_path) const {
  for (size_t at = file_path.find('/');; at = file_path.find('/', at + 1)) {
    const bool folder = at != file_path.npos;
    const std::string_view path = file_path.substr(0, at);
    const auto rule = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& one) {
      return (folder || !one.folders_only) && one.pattern.matches(path);
    });
    if (rule != rules_.rend() && !rule->negated) return true;
    if (!folder) return false;
  }
}

}  // namespace holdfast::git
