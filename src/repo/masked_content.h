#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "scan/personal.h"

namespace holdfast::repo {

inline constexpr uint64_t masked_text_bytes_max = 64 << 20;     // Of a text.
inline constexpr uint64_t masked_packed_bytes_max = 256 << 20;  // Of a table of Parquet, or an archive.

// What masking made of one file.
struct MaskedContent {
  std::optional<std::string> instead{};  // Nothing where it stays as it is.
  bool looked_into = false;
  uint64_t findings = 0, left_findings = 0;
  // Parts that were not looked into, and why: the file itself has an empty
  // name.
  std::vector<std::pair<std::string, std::string>> unread{};
};

// How many bytes of a file of this name are looked into.
uint64_t masked_bytes_max(std::string_view path);

// Masks what is personal in a text, in the columns of a Parquet file (nested ones, numbers and dates too,
// which become missing), and in texts within a zip or tar archive, by what its name says it is. `key` as
// scan::mask_personal. Never an error: what cannot be read is `unread`.
MaskedContent mask_content(std::string_view path, ByteView bytes, scan::MaskWith with,
                           const std::string& key);

}  // namespace holdfast::repo
