#pragma once

#include <string>
#include <string_view>

#include "io/disk.h"
#include "repo/copy_manifest.h"

// What lies where in an export (docs/formats/instance-export.md).
namespace holdfast::repo::export_layout {

inline constexpr ManifestFormat format{"holdfast-export", 1, "export"};
inline constexpr const char* tables = "tables";              // NAME.jsonl
inline constexpr const char* repositories = "repositories";  // models/NS/NAME.git

inline io::Path table(std::string_view name) { return io::Path(tables) / (std::string(name) + ".jsonl"); }
// `plural` of repo::type_plural.
inline io::Path repository(std::string_view plural, std::string_view ns, std::string_view name) {
  return io::Path(repositories) / plural / ns / (std::string(name) + ".git");
}
// Where git-lfs looks for an object, below a repository.
inline io::Path large_file(std::string_view sha256) {
  return io::Path("lfs") / "objects" / sha256.substr(0, 2) / sha256.substr(2, 2) / sha256;
}

}  // namespace holdfast::repo::export_layout
