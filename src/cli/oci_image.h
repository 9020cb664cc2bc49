#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::cli {

// A container image as one file: a tar of an image layout (OCI Image Format 1.1), which podman, skopeo,
// crane, containerd and Docker load (docs/formats/oci-image.md).

// One file, folder or link of the image's file system.
struct ImageFile {
  enum class Kind : uint8_t { copied, written, folder, link };

  std::string path;  // Without a slash at either end.
  Kind kind = Kind::written;
  io::Path source{};   // Of what is copied.
  std::string text{};  // Of what is written; where a symbolic link leads.
  uint32_t mode = 0644;
  uint32_t owner = 0;
};

struct ImageLayer {
  std::string what;  // For the image's history.
  std::vector<ImageFile> files;
};

struct ImageConfig {
  std::string name;  // What it is loaded as: "ada/bert:8f0c2b".
  std::vector<std::string> entrypoint, environment;
  std::string user, working_folder, port, volume;  // "65532:65532", "/data", "8080/tcp", "/data"
  std::vector<std::pair<std::string, std::string>> labels;
  std::chrono::seconds created{};  // Since 1970.
};

struct WrittenImage {
  std::string digest;               // "sha256:…" of the manifest: what names the image everywhere.
  std::vector<std::string> layers;  // The same of each layer.
  uint64_t bytes = 0;               // Of the file.
};

// Writes the image to `out`, which shows the old file or the new one, never half; equal files make an equal
// image. Folders above a file are made as they are needed, the files of a layer are sorted. Each file is read
// twice, and conflict is the answer where it changed in between. `each` is told bytes done and of how many.
Result<WrittenImage> write_oci_image(io::Disk& disk, Random& random, const io::Path& out,
                                     std::vector<ImageLayer> layers, const ImageConfig& config,
                                     const std::function<void(uint64_t, uint64_t)>& each);

}  // namespace holdfast::cli
