#include "serve/serving_copy.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

constexpr uint64_t small_file_bytes_max = 64 << 20;

// The folder that a path is in, with its slash; empty on top.
std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

bool is_pickle(std::string_view name) {
  return name == "adapter_model.bin" || (name.starts_with("pytorch_model") && name.ends_with(".bin"));
}

// "0_Transformer/", "2_Dense/": where sentence-transformers keeps a module's own files.
bool is_module_folder(std::string_view folder) {
  const size_t digits = std::min(folder.find_first_not_of("0123456789"), folder.size());
  return digits > 0 && digits < folder.size() && folder[digits] == '_' &&
         folder.find('/') == folder.size() - 1;
}

Status copy_all(io::Disk& disk, const io::Path& into, FileSource& files, const ServedModel& model) {
  TRY(const std::vector<FileSource::File> all, files.list(model));
  TRY_DONE(disk.make_directories(into));
  std::set<std::string, std::less<>> paths;
  for (const FileSource::File& file : all) paths.insert(file.path);
  for (const FileSource::File& file : all) {
    if (!is_served_file(file.path, file.size) || is_stood_for(file.path, paths)) continue;
    const io::Path path = into / file.path;
    if (path.has_parent_path()) TRY_DONE(disk.make_directories(path.parent_path()));
    TRY(const std::unique_ptr<io::WriteFile> out, disk.create(path));
    TRY_DONE(files.copy(model, file.path, *out));
  }
  return Done{};
}

}  // namespace

Result<std::optional<ServedModel>> adapter_host(FileSource& files, const ServedModel& model) {
  TRY(std::optional<ServedModel> base, files.base_of(model));
  if (base) base->takes_adapters = true;
  return base;
}

bool is_served_file(std::string_view path, uint64_t size) {
  const std::string_view folder = folder_of(path), name = path.substr(folder.size());
  const bool read = folder.empty() || is_module_folder(folder);
  if (name.ends_with(".safetensors") || name.ends_with(".gguf") || is_pickle(name)) return read;
  if (size > small_file_bytes_max) return false;
  if (name == "holdfast.lock" || name.ends_with(".jinja")) return folder.empty();
  if (name == "merges.txt" || name == "vocab.txt" || name.ends_with(".model") || name.ends_with(".tiktoken"))
    return read;
  return name.ends_with(".json");
}

bool is_stood_for(std::string_view path, const std::set<std::string, std::less<>>& all) {
  const std::string folder(folder_of(path));
  const std::string_view name = path.substr(folder.size());
  if (name.ends_with(".tiktoken") || (name.ends_with(".model") && name != "tokenizer.model"))
    return all.contains(folder + "tokenizer.json");
  if (!is_pickle(name)) return false;
  const std::string begin = folder + (name == "adapter_model.bin" ? "adapter_model" : "model");
  for (auto other = all.lower_bound(begin); other != all.end() && other->starts_with(begin); ++other)
    if (other->ends_with(".safetensors") && folder_of(*other) == folder) return true;
  return false;
}

Result<io::Path> ensure_serving_copy(io::Disk& disk, const io::Path& folder, FileSource& files,
                                     const ServedModel& model, Random& random) {
  const io::Path finished = folder / model.key();
  if (disk.stat(finished).ok()) return finished;
  const io::Path unfinished = folder / ("new-" + random.hex(8));
  Status done = copy_all(disk, unfinished, files, model);
  if (done.ok()) done = disk.rename(unfinished, finished);
  if (!done.ok()) {
    (void)disk.remove_tree(unfinished);
    if (disk.stat(finished).ok()) return finished;  // Somebody else was faster.
    return std::move(done).error();
  }
  return finished;
}

}  // namespace holdfast::serve
