#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace holdfast::scan {

// A PCRE2 pattern of ours, compiled once, with bounded backtracking. Safe from any thread.
class Pattern {
 public:
  explicit Pattern(std::string_view pattern);

  struct Match {
    size_t begin = 0, end = 0;
    std::string_view captured;  // The first group, or all.
  };
  // The first match at or after `from`; the text before it is looked back at.
  std::optional<Match> find(std::string_view text, size_t from) const;

 private:
  struct Free {
    void operator()(void* code) const;
  };
  std::unique_ptr<void, Free> code_;
};

}  // namespace holdfast::scan
