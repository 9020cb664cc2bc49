#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/path_pattern.h"

namespace holdfast::git {

// The rules of one .gitignore at the root (gitignore(5)): the last matching line decides, `!` takes back, a
// last '/' means folders only, and nothing below an ignored folder can be taken back. Read-only once parsed.
class IgnoreRules {
 public:
  static constexpr size_t text_bytes_max = 1 << 20;
  static constexpr size_t rules_max = 10'000;

  static Result<IgnoreRules> parse(std::string_view text);  // too_large beyond the bounds.
  bool ignores(std::string_view file_path) const;

 private:
  struct Rule {
    PathPattern pattern;
    bool negated, folders_only;
  };
  std::vector<Rule> rules_;
};

}  // namespace holdfast::git
