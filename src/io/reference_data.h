#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace holdfast::io {

// For tests: a folder of the reference data, under HOLDFAST_SHARED or ../shared; nullopt where it is not at
// hand, as in a clone of the repository alone. A test that gets nullopt skips and says
// reference_data_missing.
inline std::optional<std::filesystem::path> reference_data(const std::string& folder) {
  const char* given = std::getenv("HOLDFAST_SHARED");
  std::filesystem::path path =
      std::filesystem::path(given != nullptr ? given : "../shared") / "data" / folder;
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return std::nullopt;
  return path;
}

inline constexpr const char* reference_data_missing =
    "the reference data is not here: HOLDFAST_SHARED (default ../shared) names no folder that holds it";

}  // namespace holdfast::io
