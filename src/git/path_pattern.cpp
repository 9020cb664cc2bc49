#include "git/path_pattern.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>

namespace holdfast::git {

namespace {

constexpr int steps_max = 100'000;
constexpr int depth_max = 200;  // Of nested stars.

bool in_named_class(std::string_view name, unsigned char c) {
  if (name == "alnum") return std::isalnum(c) != 0;
  if (name == "alpha") return std::isalpha(c) != 0;
  if (name == "blank") return c == ' ' || c == '\t';
  if (name == "cntrl") return std::iscntrl(c) != 0;
  if (name == "digit") return std::isdigit(c) != 0;
  if (name == "graph") return std::isgraph(c) != 0;
  if (name == "lower") return std::islower(c) != 0;
  if (name == "print") return std::isprint(c) != 0;
  if (name == "punct") return std::ispunct(c) != 0;
  if (name == "space") return std::isspace(c) != 0;
  if (name == "upper") return std::isupper(c) != 0;
  if (name == "xdigit") return std::isxdigit(c) != 0;
  return false;
}

// git's wildmatch.c (dowild) with WM_PATHNAME, as a class so that steps and depth can be counted.
class WildMatch {
 public:
  bool run(std::string_view pattern, std::string_view text, int depth = 0) {
    if (depth > depth_max) return false;
    size_t p = 0, t = 0;
    for (; p < pattern.size(); ++p, ++t) {
      if (--steps_ < 0) return false;
      const char c = pattern[p];
      if (c == '*') return star(pattern, p, text.substr(t), depth);
      if (t == text.size()) return false;
      if (c == '?') {
        if (text[t] == '/') return false;
      } else if (c == '[') {
        const auto matched = set(pattern, p, static_cast<unsigned char>(text[t]));
        if (!matched.value_or(false) || text[t] == '/') return false;
      } else {
        if (c == '\\' && ++p == pattern.size()) return false;
        if (pattern[p] != text[t]) return false;
      }
    }
    return t == text.size();
  }

 private:
  // A run of stars at `p`, and all that follows it.
  bool star(std::string_view pattern, size_t p, std::string_view text, int depth) {
    const size_t first = p;
    while (p < pattern.size() && pattern[p] == '*') ++p;
    const bool several = p - first >= 2;
    const bool opens = first == 0 || pattern[first - 1] == '/';
    const bool closes = p == pattern.size() || pattern[p] == '/' || pattern.substr(p, 2) == "\\/";
    const bool spans = several && opens && closes;
    // "**/" may stand for no folder at all.
    if (spans && p < pattern.size() && pattern[p] == '/' && run(pattern.substr(p + 1), text, depth + 1))
      return true;
    const std::string_view rest = pattern.substr(p);
    if (rest.empty()) return spans || text.find('/') == text.npos;
    for (size_t t = 0; t <= text.size(); ++t) {
      if (--steps_ < 0) return false;
      if (run_after(rest, text.substr(t), depth)) return true;
      if (t < text.size() && text[t] == '/' && !spans) return false;
    }
    return false;
  }

  // `rest` follows a star, so a first character that cannot match needs no call.
  bool run_after(std::string_view rest, std::string_view text, int depth) {
    const char c = rest[0];
    const bool plain = c != '*' && c != '?' && c != '[' && c != '\\';
    if (plain && (text.empty() || text[0] != c)) return false;
    return run(rest, text, depth + 1);
  }

  // The set that opens at `p`, which is left on its ']'. nullopt: it does not close.
  static std::optional<bool> set(std::string_view pattern, size_t& p, unsigned char c) {
    size_t at = p + 1;
    const auto peek = [&](size_t i) { return i < pattern.size() ? pattern[i] : '\0'; };
    const bool negated = peek(at) == '!' || peek(at) == '^';
    if (negated) ++at;
    bool matched = false;
    unsigned char previous = 0;
    bool first = true;
    for (;; first = false, ++at) {
      if (at >= pattern.size()) return std::nullopt;
      auto one = static_cast<unsigned char>(pattern[at]);
      if (one == ']' && !first) break;
      if (one == '\\') {
        if (++at >= pattern.size()) return std::nullopt;
        one = static_cast<unsigned char>(pattern[at]);
        matched |= c == one;
      } else if (one == '-' && previous != 0 && at + 1 < pattern.size() && pattern[at + 1] != ']') {
        if (pattern[++at] == '\\' && ++at >= pattern.size()) return std::nullopt;
        matched |= c <= static_cast<unsigned char>(pattern[at]) && c >= previous;
        one = 0;  // So that "a-c-e" is no second range.
      } else if (one == '[' && peek(at + 1) == ':') {
        const size_t close = pattern.find(']', at + 2);
        if (close == pattern.npos) return std::nullopt;
        if (close > at + 2 && pattern[close - 1] == ':') {
          matched |= in_named_class(pattern.substr(at + 2, close - at - 3), c);
          at = close;
          one = 0;
        } else {
          matched |= c == '[';
        }
      } else {
        matched |= c == one;
      }
      previous = one;
    }
    p = at;
    return matched != negated;
  }

  int steps_ = steps_max;
};

}  // namespace

bool wild_match(std::string_view pattern, std::string_view text) { return WildMatch().run(pattern, text); }

PathPattern::PathPattern(std::string_view text, std::string_view folder)
    : pattern_(text), folder_(folder), whole_path_(text.find('/') != text.npos) {
  if (pattern_.starts_with('/')) pattern_.erase(0, 1);
}

bool PathPattern::matches(std::string_view path) const {
  if (!folder_.empty()) {
    if (path.size() <= folder_.size() || !path.starts_with(folder_) || path[folder_.size()] != '/')
      return false;
    path.remove_prefix(folder_.size() + 1);
  }
  std::string_view pattern = pattern_;
  if (whole_path_) {
    // git compares what comes before the first wildcard on its own, so that stars after it count as opening a
    // segment: "b**/c" matches "b/c" and "bx/y/c" alike.
    const size_t plain = std::min(pattern.find_first_of("*?[\\"), pattern.size());
    if (path.substr(0, plain) != pattern.substr(0, plain)) return false;
    pattern.remove_prefix(plain);
    path.remove_prefix(plain);
  } else {
    path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0.
  }
  return wild_match(pattern, path);
}

}  // namespace holdfast::git
