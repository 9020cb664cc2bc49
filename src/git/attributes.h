#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/path_pattern.h"

namespace holdfast::git {

// Which paths go through git-lfs, by the .gitattributes files of a tree (gitattributes(5)): later lines win
// over earlier, deeper folders over shallower; `-filter`, `!filter` and another filter undo; macros of the
// root's file are followed. Built by add() in any order; read-only afterwards, then safe from any thread.
class LfsAttributes {
 public:
  static constexpr size_t file_bytes_max = 1 << 20;
  static constexpr size_t rules_max = 10'000;

  // The text of FOLDER/.gitattributes ("" for the root). too_large beyond the bounds. Lines git would refuse
  // are skipped, as git does.
  Status add(std::string_view folder, std::string_view text);
  bool is_lfs(std::string_view path) const;

 private:
  enum class State : uint8_t { set, unset, unspecified, lfs, other };
  using Assignments = std::vector<std::pair<std::string, State>>;  // In the line's order.
  struct Rule {
    PathPattern pattern;
    Assignments assignments;
    size_t depth;  // Folders above the file the rule is from.
  };
  using Known = std::map<std::string, State, std::less<>>;

  static bool parse_assignments(std::string_view text, Assignments& into);
  void assign(const Assignments& assignments, Known& known, int nesting) const;

  std::vector<Rule> rules_;  // Strongest last.
  std::map<std::string, Assignments, std::less<>> macros_;
};

// What a new repository's first commit holds as .gitattributes.
std::string_view default_model_attributes();  // For Spaces as well.
std::string_view default_dataset_attributes();

}  // namespace holdfast::git
