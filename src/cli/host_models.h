#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "exchange/hub_client.h"
#include "io/disk.h"

namespace holdfast::cli {

// A file of weights or rows, by its bytes.
struct HostFile {
  std::string path;  // Below its folder.
  uint64_t size = 0;
  std::string sha256;  // Hexadecimal.
};

// A model or data set that lies on this machine.
struct HostModel {
  enum class Source : uint8_t { cache, lock, folder };

  io::Path folder;
  Source source = Source::folder;
  exchange::RemoteType type = exchange::RemoteType::model;
  std::string
      claims;  // "ns/name" or "ns/name@commit" that the cache or a holdfast.lock calls it; else empty.
  std::vector<HostFile> files;
};
std::string_view source_name(HostModel::Source source);

// Whether a file of this name holds weights (safetensors, GGUF, ONNX, TensorFlow Lite, torch's pickles,
// Keras, OpenVINO) or rows (Parquet, Arrow). Names alone decide: a table as CSV or JSON lines may be
// anything.
bool holds_weights(std::string_view name);
bool holds_rows(std::string_view name);

// Everything below `root` that has such files, one entry a folder and kind; a repository in huggingface_hub's
// cache is one entry, and its blobs' names are their digests. All other files are read and hashed: `each` is
// told after every piece how many bytes. Links to folders, .git and what may not be opened are passed over.
// bad_request below 32 levels or beyond a million entries.
struct HostWalk {
  std::vector<HostModel> models;
  std::vector<std::string> passed_over;  // What could not be read, with the reason.
};
Result<HostWalk> find_host_models(io::Disk& disk, const io::Path& root,
                                  const std::function<void(uint64_t)>& each);

}  // namespace holdfast::cli
