#include "cli/host_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/hub_cache.h"
#include "codec/hex.h"
#include "codec/sha256.h"
#include "io/symlink.h"
#include "serve/lock_file.h"

namespace holdfast::cli {
namespace {

constexpr int depth_max = 32;
constexpr size_t entries_max = 1'000'000;
constexpr size_t piece_bytes = 1 << 20;
constexpr size_t passed_over_max = 100;

Result<std::string> digest_of(io::Disk& disk, const io::Path& path,
                              const std::function<void(uint64_t)>& each) {
  TRY(const auto file, disk.open(path));
  codec::Sha256 hash;
  std::vector<std::byte> piece(piece_bytes);
  for (uint64_t at = 0;;) {
    TRY(const size_t got, file->read_at(at, piece));
    if (got == 0) break;
    hash.update({piece.data(), got});
    at += got;
    each(got);
  }
  return codec::to_hex(hash.finish());
}

class Walk {
 public:
  Walk(io::Disk& disk, const std::function<void(uint64_t)>& each) : disk_(disk), each_(each) {}

  Status visit(const io::Path& folder, int depth) {
    if (depth == 0) return fail(Reason::bad_request, "the folders are nested too deep");
    auto listed = disk_.list(folder);
    if (!listed.ok()) {
      pass_over(folder, listed.error());
      return Done{};
    }
    entries_ += listed.value().size();
    if (entries_ > entries_max) return fail(Reason::bad_request, "there are more than a million files");
    const auto has_folder = [&](std::string_view name) {
      return std::any_of(listed.value().begin(), listed.value().end(),
                         [&](const io::Entry& one) { return one.is_directory && one.name == name; });
    };
    if (has_folder("blobs") && has_folder("snapshots"))
      if (const auto repo = cached_repo(folder.filename().string())) return visit_cached(folder, *repo);
    visit_files(folder, listed.value());
    for (const io::Entry& entry : listed.value())
      if (entry.is_directory && entry.name != ".git" && !io::read_symlink(disk_, folder / entry.name).ok())
        TRY_DONE(visit(folder / entry.name, depth - 1));
    return Done{};
  }

  HostWalk found;

 private:
  void pass_over(const io::Path& path, const Error& error) {
    if (found.passed_over.size() < passed_over_max)
      found.passed_over.push_back(fmt::format("{}: {}", disk_.absolute(path).string(), error.message));
  }

  Status visit_cached(const io::Path& folder, const RemoteRepo& repo) {
    HostModel model{.folder = disk_.absolute(folder),
                    .source = HostModel::Source::cache,
                    .type = repo.type,
                    .claims = repo.name};
    if (const auto commit = io::read_text(disk_, folder / "refs" / "main", 100); commit.ok())
      model.claims += "@" + commit.value();
    TRY(const auto blobs, disk_.list(folder / "blobs"));
    for (const io::Entry& blob : blobs)
      if (codec::is_lower_hex(blob.name, 64)) model.files.push_back({blob.name, blob.size, blob.name});
    found.models.push_back(std::move(model));
    return Done{};
  }

  void visit_files(const io::Path& folder, const std::vector<io::Entry>& entries) {
    HostModel model{.folder = disk_.absolute(folder)}, rows = model;
    rows.type = RemoteType::dataset;
    for (const io::Entry& entry : entries) {
      if (entry.is_directory) continue;
      if (entry.name == serve::lock_name) read_lock(folder / entry.name, model);
      HostModel* of = holds_weights(entry.name) ? &model : holds_rows(entry.name) ? &rows : nullptr;
      if (of == nullptr) continue;
      auto digest = digest_of(disk_, folder / entry.name, each_);
      if (digest.ok())
        of->files.push_back({entry.name, entry.size, std::move(digest.value())});
      else
        pass_over(folder / entry.name, digest.error());
    }
    for (HostModel* one : {&model, &rows})
      if (!one->files.empty()) found.models.push_back(std::move(*one));
  }

  void read_lock(const io::Path& path, HostModel& model) {
    const auto text = io::read_text(disk_, path, serve::lock_bytes_max);
    if (!text.ok()) return pass_over(path, text.error());
    const auto lock = serve::parse_lock(text.value());
    if (!lock.ok()) return pass_over(path, lock.error());
    model.source = HostModel::Source::lock;
    model.claims = lock.value().model;
  }

  io::Disk& disk_;
  const std::function<void(uint64_t)>& each_;
  size_t entries_ = 0;
};

}  // namespace

std::string_view source_name(HostModel::Source source) {
  switch (source) {
    case HostModel::Source::cache:
      return "cache";
    case HostModel::Source::lock:
      return "lock";
    case HostModel::Source::folder:
      return "folder";
  }
  return "";
}

bool holds_weights(std::string_view name) {
  static constexpr std::array endings = {".safetensors", ".gguf", ".ggml", ".onnx",  ".tflite", ".pt",
                                         ".pth",         ".ckpt", ".h5",   ".keras", ".msgpack"};
  for (const std::string_view ending : endings)
    if (name.ends_with(ending) && name.size() > ending.size()) return true;
  static constexpr std::array beginnings = {"pytorch_model", "model", "openvino_model", "adapter_model"};
  for (const std::string_view beginning : beginnings)
    if (name.starts_with(beginning) && name.ends_with(".bin")) return true;
  return name == "saved_model.pb" || name == "model.pkl" || name == "model.joblib";
}

bool holds_rows(std::string_view name) { return name.ends_with(".parquet") || name.ends_with(".arrow"); }

Result<HostWalk> find_host_models(io::Disk& disk, const io::Path& root,
                                  const std::function<void(uint64_t)>& each) {
  Walk walk(disk, each);
  TRY_DONE(walk.visit(root, depth_max));
  return std::move(walk.found);
}

}  // namespace holdfast::cli
