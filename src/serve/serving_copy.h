#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::serve {

// A model as it is served: one commit of one repository. The repository is part of it because two may hold
// the same commit and not the same large files.
struct ServedModel {
  int64_t repository = 0;
  std::string name;    // "ns/name", for people.
  std::string commit;  // 40 hex digits.
  // Loaded so that adapters can change it, which takes more room: another worker's than the model alone.
  bool takes_adapters = false;

  std::string key() const {
    return std::to_string(repository) + "-" + commit + (takes_adapters ? "-adapted" : "");
  }
  bool same_as(const ServedModel& other) const {  // Whatever it is called.
    return repository == other.repository && commit == other.commit && takes_adapters == other.takes_adapters;
  }
};

// Where the files of repositories come from; app/ gives the implementation. Safe from any thread.
class FileSource {
 public:
  struct File {
    std::string path;  // In the repository, checked by it: relative, no "..".
    uint64_t size = 0;
  };
  virtual ~FileSource() = default;
  virtual Result<std::vector<File>> list(const ServedModel& model) = 0;
  virtual Status copy(const ServedModel& model, const std::string& path, io::WriteFile& into) = 0;
  // What a model that is an adapter changes, always the same commit; nothing for others.
  virtual Result<std::optional<ServedModel>> base_of(const ServedModel&) {
    return std::optional<ServedModel>();
  }
};

// What serves an adapter: its base, loaded so that adapters can change it; nothing for what is none.
Result<std::optional<ServedModel>> adapter_host(FileSource& files, const ServedModel& model);

// Whether a file of a repository may be needed to serve the model: configuration, tokenizer, chat template,
// holdfast.lock, safetensors or GGUF weights, PyTorch's pickles; on top, or in a folder of a sentence model's
// module
// ("2_Dense").
bool is_served_file(std::string_view path, uint64_t size);
// Whether another one of `all` stands for it: safetensors for a pickle, tokenizer.json for what it was made
// from.
bool is_stood_for(std::string_view path, const std::set<std::string, std::less<>>& all);

// Makes, once, the plain copy that workers map: `folder`/KEY on the disk. Shown complete or not at all; not
// durable, as it can always be made again. Returns its path on the disk.
Result<io::Path> ensure_serving_copy(io::Disk& disk, const io::Path& folder, FileSource& files,
                                     const ServedModel& model, Random& random);

}  // namespace holdfast::serve
