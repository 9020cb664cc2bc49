#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/oci_image.h"

namespace holdfast::cli {

// What this process runs: its program, the loader that starts it and every shared library that is loaded, as
// absolute paths of this machine.
struct LoadedProgram {
  std::string program, loader, libc;
  std::vector<std::string> libraries;  // Without the loader.
};
Result<LoadedProgram> loaded_program();

// The program as files of an image without a distribution: /usr/bin/holdfast, the loader and each library
// where the loader looks without being told (one that lies elsewhere here goes beside the C library), the
// accounts root and holdfast (65532), /tmp and /data. Sources are relative to a disk of the whole machine.
std::vector<ImageFile> program_files(const LoadedProgram& loaded);

inline constexpr std::string_view image_program = "/usr/bin/holdfast", image_data = "/data";
inline constexpr uint32_t image_user = 65532;

}  // namespace holdfast::cli
