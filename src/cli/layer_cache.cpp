#include "cli/layer_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/connection.h"
#include "codec/blake3.h"
#include "codec/hex.h"
#include "io/file_facts.h"
#include "io/temporary.h"

namespace holdfast::cli {
namespace {

constexpr size_t name_bytes = 16;
constexpr size_t files_max = 4096;  // Of a model's folder.
// Unfinished files as old as that are of programs that were stopped.
constexpr int64_t unfinished_ns_max = int64_t{24} * 3600 * 1'000'000'000;

Result<std::unique_ptr<io::Disk>> open_folder(World& world) {
  const auto assets = world.environment("HF_ASSETS_CACHE");
  if (assets && !assets->empty()) return io::open_posix_disk(io::Path(*assets) / "holdfast" / "packed");
  TRY(const io::Path home, hub_home(world));
  return io::open_posix_disk(home / "assets" / "holdfast" / "packed");
}

std::string describe(const std::string& name, const io::FileFacts& facts) {
  return fmt::format("{} {} {} {} {}\n", name, facts.device, facts.inode, facts.size, facts.changed_ns);
}

// The files that hold a model's weights, and when each changed last.
Result<std::string> source_of(io::Disk& disk, const io::Path& place) {
  TRY(const io::FileFacts facts, io::file_facts(disk, place));
  if (facts.is_file) return describe("", facts);
  TRY(const std::vector<io::Entry> entries, disk.list(place));
  if (entries.size() > files_max) return fail(Code::unavailable, "a folder of too many files");
  std::string out;
  for (const io::Entry& entry : entries) {
    if (!entry.name.ends_with(".safetensors") && !entry.name.ends_with(".bin")) continue;
    TRY(const io::FileFacts one, io::file_facts(disk, place / entry.name));
    out += describe(entry.name, one);
  }
  return out;
}

// One file a model, wherever links to it lie, so that a changed model's new layers replace the old ones.
Result<io::Path> file_of(io::Disk& disk, const io::Path& place, tensor::Precision precision,
                         LayerCache::Use use) {
  std::error_code error;
  const io::Path whole = std::filesystem::canonical(disk.absolute(place), error);
  if (error) return fail(Code::not_found, "the model is gone");
  const std::string text = fmt::format("{}\n{}", whole.string(), static_cast<int>(use));
  const codec::Blake3Digest digest = codec::blake3(as_bytes(text));
  return io::Path(codec::to_hex(ByteView(digest).first(name_bytes)) + "." +
                  std::string(tensor::precision_name(precision)));
}

// What was used last stays, as long as all of it fits.
Status clear(io::Disk& disk, uint64_t bytes_max) {
  TRY(const std::vector<io::Entry> entries, disk.list(""));
  struct Found {
    std::string name;
    io::FileFacts facts;
  };
  std::vector<Found> found;
  int64_t latest = 0;
  for (const io::Entry& entry : entries) {
    auto facts = io::file_facts(disk, entry.name);
    if (!facts.ok() || !facts.value().is_file) continue;
    found.push_back({entry.name, facts.value()});
    latest = std::max(latest, found.back().facts.modified_ns);
  }
  std::sort(found.begin(), found.end(), [](const Found& left, const Found& right) {
    return left.facts.modified_ns > right.facts.modified_ns;
  });
  uint64_t bytes = 0;
  for (const Found& one : found) {
    bytes += one.facts.size;
    const bool left_over =
        io::is_temporary_name(one.name) && latest - one.facts.modified_ns > unfinished_ns_max;
    if (bytes <= bytes_max && !left_over) continue;
    TRY_DONE(disk.remove(one.name));
    bytes -= one.facts.size;
  }
  return Done{};
}

}  // namespace

LayerCache::LayerCache(World& world, UserFiles& files, std::string_view place, tensor::Precision precision,
                       Use use, uint64_t bytes_max)
    : bytes_max_(bytes_max) {
  auto disk = open_folder(world);
  const io::Path at = files.path(place);
  auto source = source_of(files.disk(), at);
  auto file = file_of(files.disk(), at, precision, use);
  if (!disk.ok() || !source.ok() || !file.ok()) return;
  // Somebody else's numbers would answer in the model's name.
  const auto there = io::file_facts(*disk.value(), file.value());
  if (there.ok() && !(there.value().is_file && there.value().is_ours)) return;
  if (there.ok()) (void)io::mark_used(*disk.value(), file.value());
  disk_ = std::move(disk).value();
  store_.emplace(model::LayerStore{*disk_, std::move(file).value(), world.random(), std::move(source).value(),
                                   model::LayerStore::Writing::when_told});
}

void LayerCache::keep(const model::TextGenerator& generator) const {
  if (store_ && generator.model().keep_layers().ok()) (void)clear(*disk_, bytes_max_);
}

}  // namespace holdfast::cli
