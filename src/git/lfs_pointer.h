#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::git {

inline constexpr size_t lfs_pointer_bytes_max = 1024;

// What stands in git for a file kept in the content store. Format: git-lfs docs/spec.md, version
// https://git-lfs.github.com/spec/v1.
struct LfsPointer {
  std::string sha256;  // 64 lower-case hexadecimal digits.
  uint64_t size = 0;

  friend bool operator==(const LfsPointer&, const LfsPointer&) = default;
};

// The one canonical text: three lines, 120-odd bytes.
std::string format_lfs_pointer(const LfsPointer& pointer);
// nullopt when `text` is no pointer. Lenient where git-lfs is: extension lines ("ext-0-…") are skipped.
std::optional<LfsPointer> parse_lfs_pointer(std::string_view text);

}  // namespace holdfast::git
