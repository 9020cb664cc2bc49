#include "serve/serving_copy.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

constexpr uint64_t small_file_bytes_max = 64 << 20;

bool is_pickle(std::string_view path) {
  return path == "adapter_model.bin" || (path.starts_with("pytorch_model") && path.ends_with(".bin"));
}

// Workers read safetensors where a repository has both; the pickles would lie there for nothing.
bool is_there_better(std::string_view pickle, const std::vector<FileSource::File>& all) {
  const std::string_view begin = pickle == "adapter_model.bin" ? "adapter_model" : "model";
  return std::any_of(all.begin(), all.end(), [&](const FileSource::File& file) {
    return file.path.find('/') == file.path.npos && file.path.starts_with(begin) &&
           file.path.ends_with(".safetensors");
  });
}

Status copy_all(io::Disk& disk, const io::Path& into, FileSource& files, const ServedModel& model) {
  TRY(const std::vector<FileSource::File> all, files.list(model));
  TRY_DONE(disk.make_directories(into));
  for (const FileSource::File& file : all) {
    if (!is_served_file(file.path, file.size)) continue;
    if (is_pickle(file.path) && is_there_better(file.path, all)) continue;
    const io::Path path = into / file.path;
    if (path.has_parent_path()) TRY_DONE(disk.make_directories(path.parent_path()));
    TRY(const std::unique_ptr<io::WriteFile> out, disk.create(path));
    TRY_DONE(files.copy(model, file.path, *out));
  }
  return Done{};
}

}  // namespace

bool is_served_file(std::string_view path, uint64_t size) {
  const bool on_top = path.find('/') == std::string_view::npos;
  if (path.ends_with(".safetensors") || path.ends_with(".gguf")) return on_top;
  if (is_pickle(path)) return on_top;
  if (path == "holdfast.lock" || path == "tokenizer.model" || path.ends_with(".jinja") ||
      path == "merges.txt" || path == "vocab.txt")
    return on_top && size <= small_file_bytes_max;
  return path.ends_with(".json") && size <= small_file_bytes_max;
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
