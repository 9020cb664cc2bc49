#pragma once

#include <string>
#include <string_view>

namespace holdfast::git {

// git's wildmatch: `*` and `?` stop at '/', `**` between slashes spans folders, [a-z], [!a], [[:alpha:]],
// backslash escapes. Work is bounded by steps: a pattern that needs more than 100'000 does not match.
bool wild_match(std::string_view pattern, std::string_view text);

// One line's pattern of .gitattributes or .gitignore, as both read it (gitignore(5)): with a '/' at its start
// or inside it is matched against the whole path from its folder, else against the last segment.
class PathPattern {
 public:
  // `text` without negation and without the '/' that asks for a folder. `folder` is where the file with the
  // pattern lies ("" for the root).
  PathPattern(std::string_view text, std::string_view folder);
  bool matches(std::string_view path) const;

 private:
  std::string pattern_, folder_;
  bool whole_path_ = false;
};

}  // namespace holdfast::git
