#include "repo/copy_manifest.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/data_layout.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"

namespace holdfast::repo {
namespace {

constexpr const char* manifest_name = "manifest.jsonl";
constexpr size_t piece_bytes = 1 << 20;
constexpr uint64_t manifest_bytes_max = uint64_t{4} << 30;

struct Copied {
  uint64_t bytes = 0;
  std::string sha256;
};

Result<Copied> copy_open_file(const io::ReadFile& in, io::Disk* to, const io::Path& path) {
  std::unique_ptr<io::WriteFile> out;
  if (to != nullptr) {
    TRY_DONE(to->make_directories(path.parent_path()));
    TRY(out, to->create(path));
  }
  codec::Sha256 hash;
  Copied copied;
  Bytes piece(piece_bytes);
  for (;;) {
    TRY(size_t got, in.read_at(copied.bytes, piece));
    if (got == 0) break;
    const ByteView view(piece.data(), got);
    hash.update(view);
    if (out) TRY_DONE(out->append(view));
    copied.bytes += got;
  }
  if (out) TRY_DONE(out->sync());
  copied.sha256 = codec::to_hex(hash.finish());
  return copied;
}

// A manifest comes from outside: its paths must stay below the folder.
bool stays_below(const io::Path& path) {
  if (path.empty() || path.is_absolute()) return false;
  for (const io::Path& part : path)
    if (part == ".." || part == "." || part.empty()) return false;
  return true;
}

}  // namespace

Status ManifestWriter::open(const Clock& clock) {
  TRY(manifest_, target_.create(std::string(manifest_name) + ".part"));
  const boost::json::object head{
      {"format", format_.name}, {"version", format_.version}, {"time", format_time(clock.wall())}};
  return line(codec::to_text(head));
}

Status ManifestWriter::copy(io::Disk& source, const io::Path& from, const io::Path& to, Missing missing) {
  if (done_.contains(to.generic_string())) return Done{};
  auto in = source.open(from);
  if (!in.ok() && in.error().code == Code::not_found) {
    if (missing == Missing::fine) return Done{};
    return fail(Reason::data_corrupt,
                fmt::format("{} is not there any more; `holdfast fsck` tells what is damaged",
                            from.generic_string()));
  }
  if (!in.ok()) return std::move(in).error();
  TRY(Copied copied, copy_open_file(*in.value(), &target_, to));
  return record(to, copied.bytes, copied.sha256);
}

Status ManifestWriter::add(const io::Path& path, const std::function<Status(const Sink&)>& produce) {
  if (done_.contains(path.generic_string())) return Done{};
  TRY_DONE(target_.make_directories(path.parent_path()));
  TRY(std::unique_ptr<io::WriteFile> out, target_.create(path));
  codec::Sha256 hash;
  TRY_DONE(produce([&](ByteView piece) -> Status {
    hash.update(piece);
    return out->append(piece);
  }));
  TRY_DONE(out->sync());
  return record(path, out->size(), codec::to_hex(hash.finish()));
}

Status ManifestWriter::record_there(const io::Path& path) {
  TRY(std::unique_ptr<io::ReadFile> in, target_.open(path));
  TRY(Copied seen, copy_open_file(*in, nullptr, path));
  return record(path, seen.bytes, seen.sha256);
}

Result<CopyProgress> ManifestWriter::close() {
  TRY_DONE(expect_all_there());
  const boost::json::object last{{"complete", true}, {"files", progress_.files}, {"bytes", progress_.bytes}};
  TRY_DONE(line(codec::to_text(last)));
  TRY_DONE(manifest_->sync());
  for (const std::string& folder : folders_) TRY_DONE(target_.sync_directory(folder));
  TRY_DONE(target_.rename(std::string(manifest_name) + ".part", manifest_name));
  TRY_DONE(target_.sync_directory("."));
  return progress_;
}

// Somebody may have cleared the target meanwhile, or a part of it.
Status ManifestWriter::expect_all_there() {
  for (const auto& [path, bytes] : done_) {
    const auto there = target_.stat(path);
    if (!there.ok() || there.value().size != bytes)
      return fail(Reason::data_corrupt,
                  fmt::format("{} was removed from the {} folder or changed there", path, format_.noun));
  }
  return Done{};
}

Status ManifestWriter::line(std::string text) {
  text += '\n';
  return manifest_->append(as_bytes(text));
}

Status ManifestWriter::record(const io::Path& path, uint64_t bytes, const std::string& sha256) {
  TRY_DONE(line(codec::to_text(
      boost::json::object{{"path", path.generic_string()}, {"bytes", bytes}, {"sha256", sha256}})));
  done_.emplace(path.generic_string(), bytes);
  if (path.has_parent_path()) folders_.insert(path.parent_path().generic_string());
  ++progress_.files;
  progress_.bytes += bytes;
  if (each_) each_(progress_);
  return Done{};
}

Result<std::vector<ManifestLine>> read_manifest(io::Disk& folder, const ManifestFormat& format) {
  auto text = io::read_text(folder, manifest_name, manifest_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found)
    return fail(Code::corrupt, fmt::format("this is no finished {}: it has no manifest.jsonl", format.noun));
  if (!text.ok()) return std::move(text).error();
  std::vector<ManifestLine> lines;
  bool first = true, complete = false;
  std::string_view rest = text.value();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    TRY(boost::json::object object, codec::parse_json_object(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (first) {
      TRY(std::string_view name, codec::json_text(object, "format"));
      TRY(int64_t version, codec::json_integer(object, "version"));
      if (name != format.name || version != format.version)
        return fail(Code::corrupt, "the manifest is of a format this program does not know");
      first = false;
    } else if (object.contains("complete")) {
      TRY(int64_t files, codec::json_integer(object, "files"));
      complete = static_cast<size_t>(files) == lines.size() && rest.empty();
    } else {
      TRY(std::string_view path, codec::json_text(object, "path"));
      TRY(int64_t bytes, codec::json_integer(object, "bytes"));
      TRY(std::string_view sha256, codec::json_text(object, "sha256"));
      if (!stays_below(io::Path(path)) || bytes < 0)
        return fail(Code::corrupt, fmt::format("the manifest names a file outside the {}", format.noun));
      lines.push_back({io::Path(path), static_cast<uint64_t>(bytes), std::string(sha256)});
    }
  }
  if (!complete) return fail(Code::corrupt, "the manifest is not complete");
  return lines;
}

Status check_line(io::Disk& folder, io::Disk* target, const ManifestFormat& format,
                  const ManifestLine& line) {
  TRY(std::unique_ptr<io::ReadFile> in, folder.open(line.path));
  TRY(Copied copied, copy_open_file(*in, target, line.path));
  if (copied.bytes == line.bytes && copied.sha256 == line.sha256) return Done{};
  return fail(Code::corrupt, fmt::format("{} in the {} is not what the manifest says",
                                         line.path.generic_string(), format.noun));
}

Status visit_files(io::Disk& disk, const io::Path& folder, int depth,
                   const std::function<Status(const io::Path&)>& each) {
  if (depth == 0) return fail(Code::corrupt, fmt::format("{} is nested too deeply", folder.string()));
  // A file that vanishes meanwhile (git repacking) is no error.
  auto listed = disk.list(folder);
  if (!listed.ok())
    return listed.error().code == Code::not_found ? Status(Done{}) : Status(std::move(listed).error());
  for (const io::Entry& entry : listed.value()) {
    if (entry.is_directory) {
      TRY_DONE(visit_files(disk, folder / entry.name, depth - 1, each));
    } else {
      TRY_DONE(each(folder / entry.name));
    }
  }
  return Done{};
}

Status expect_empty(io::Disk& disk, std::string_view what) {
  TRY(std::vector<io::Entry> entries, disk.list("."));
  if (entries.empty()) return Done{};
  return fail(Reason::already_exists, fmt::format("the {} is not empty", what));
}

Status empty_folder(io::Disk& disk) {
  TRY(std::vector<io::Entry> entries, disk.list("."));
  // The mark of an unfinished restore goes last: until then nothing opens the folder.
  for (const io::Entry& entry : entries)
    if (entry.name != data_layout::restoring)
      TRY_DONE(entry.is_directory ? disk.remove_tree(entry.name) : disk.remove(entry.name));
  if (disk.stat(data_layout::restoring).ok()) TRY_DONE(disk.remove(data_layout::restoring));
  return disk.sync_directory(".");
}

Result<CopyProgress> fill_data_folder(io::Disk& target, const std::function<Result<CopyProgress>()>& work) {
  if (target.stat(data_layout::restoring).ok()) TRY_DONE(empty_folder(target));
  TRY_DONE(expect_empty(target, "data folder"));
  auto fill = [&]() -> Result<CopyProgress> {
    TRY_DONE(io::publish_text(target, data_layout::restoring, ""));
    TRY(CopyProgress copied, work());
    TRY_DONE(target.remove(data_layout::restoring));
    TRY_DONE(target.sync_directory("."));
    return copied;
  };
  auto copied = fill();
  if (!copied.ok()) TRY_DONE(empty_folder(target));
  return copied;
}

}  // namespace holdfast::repo
