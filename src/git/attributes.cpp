#include "git/attributes.h"

#include <algorithm>
#include <optional>

namespace holdfast::git {

namespace {

constexpr std::string_view blank = " \t\r\n";
constexpr size_t line_bytes_max = 2048;  // git's own: longer lines are ignored.
constexpr int nesting_max = 16;          // Of macros in macros.
constexpr std::string_view macro_prefix = "[attr]";

std::string_view next_word(std::string_view& rest) {
  const size_t start = rest.find_first_not_of(blank);
  if (start == rest.npos) return rest = {};
  rest.remove_prefix(start);
  const std::string_view word = rest.substr(0, rest.find_first_of(blank));
  rest.remove_prefix(word.size());
  return word;
}

bool valid_name(std::string_view name) {
  if (name.empty() || name[0] == '-' || name.starts_with("builtin_")) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::optional<char> octal(std::string_view digits) {
  int value = 0;
  if (digits.size() != 3 || digits[0] > '3') return std::nullopt;
  for (const char c : digits) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + (c - '0');
  }
  return static_cast<char>(value);
}

// git's C-style quoting at the start of `rest`, taken off it. nullopt when it is broken.
std::optional<std::string> unquote(std::string_view& rest) {
  std::string out;
  for (size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      rest.remove_prefix(at + 1);
      return out;
    }
    if (rest[at] != '\\') {
      out += rest[at];
      continue;
    }
    if (++at == rest.size()) return std::nullopt;
    constexpr std::string_view from = "abfnrtv\\\"", to = "\a\b\f\n\r\t\v\\\"";
    if (const size_t known = from.find(rest[at]); known != from.npos) {
      out += to[known];
    } else if (const auto byte = octal(rest.substr(at, 3))) {
      out += *byte;
      at += 2;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

}  // namespace

bool LfsAttributes::parse_assignments(std::string_view text, Assignments& into) {
  while (true) {
    std::string_view word = next_word(text);
    if (word.empty()) return true;
    State state = State::set;
    if (word[0] == '-' || word[0] == '!') {
      state = word[0] == '-' ? State::unset : State::unspecified;
      word.remove_prefix(1);
    }
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (!valid_name(name)) return false;
    // "-name=value" is "-name": git takes the value off first.
    if (equals != word.npos && state == State::set)
      state = word.substr(equals + 1) == "lfs" ? State::lfs : State::other;
    into.emplace_back(name, state);
  }
}

Status LfsAttributes::add(std::string_view folder, std::string_view text) {
  if (text.size() > file_bytes_max)
    return fail(Code::too_large, "a .gitattributes file is larger than 1 MiB");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const size_t depth =
      folder.empty() ? 0 : static_cast<size_t>(std::count(folder.begin(), folder.end(), '/')) + 1;
  std::vector<Rule> added;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.size() >= line_bytes_max) continue;
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(blank)));
    if (line.empty() || line[0] == '#') continue;
    std::string pattern;
    const bool quoted = line[0] == '"';
    if (quoted) {
      std::optional<std::string> name = unquote(line);
      if (!name) continue;
      pattern = std::move(*name);
    } else {
      pattern = next_word(line);
    }
    Assignments assignments;
    if (!quoted && pattern.starts_with(macro_prefix)) {
      std::string_view name = std::string_view(pattern).substr(macro_prefix.size());
      if (name.empty()) name = next_word(line);
      if (depth == 0 && valid_name(name) && parse_assignments(line, assignments))
        macros_[std::string(name)] = std::move(assignments);
      continue;
    }
    if (pattern.starts_with('!') || !parse_assignments(line, assignments)) continue;
    if (pattern.starts_with("\\!")) pattern.erase(0, 1);
    if (pattern.ends_with('/')) continue;  // Folders only, and only files go through git-lfs.
    if (rules_.size() + added.size() == rules_max)
      return fail(Code::too_large, "too many lines of .gitattributes");
    added.push_back({PathPattern(pattern, folder), std::move(assignments), depth});
  }
  const auto place = std::upper_bound(rules_.begin(), rules_.end(), depth,
                                      [](size_t wanted, const Rule& rule) { return wanted < rule.depth; });
  rules_.insert(place, std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  return Done{};
}

void LfsAttributes::assign(const Assignments& assignments, Known& known, int nesting) const {
  if (nesting > nesting_max) return;
  for (auto one = assignments.rbegin(); one != assignments.rend(); ++one) {
    if (!known.try_emplace(one->first, one->second).second) continue;  // Something stronger has spoken.
    const auto macro = macros_.find(one->first);
    if (macro != macros_.end() && one->second == State::set) assign(macro->second, known, nesting + 1);
  }
}

bool LfsAttributes::is_lfs(std::string_view path) const {
  Known known;
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (!rule->pattern.matches(path)) continue;
    assign(rule->assignments, known, 0);
    if (const auto filter = known.find("filter"); filter != known.end()) return filter->second == State::lfs;
  }
  return false;
}

}  // namespace holdfast::git
