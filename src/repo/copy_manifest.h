#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::repo {

struct CopyProgress {
  uint64_t files = 0, bytes = 0;
};
using EachCopied = std::function<void(const CopyProgress&)>;

// Which folder a manifest.jsonl describes: its first line says so.
struct ManifestFormat {
  std::string_view name;  // "holdfast-backup"
  int64_t version = 1;
  std::string_view noun;  // "backup", for messages.
};

struct ManifestLine {
  io::Path path;
  uint64_t bytes = 0;
  std::string sha256;
};

// What a file that is not there any more means: git packs its objects anew, the rest must be there.
enum class Missing : uint8_t { fine, damage };

// Fills a folder and lists what it holds, digest by digest, in a manifest that is written last: without it
// the folder is no copy (docs/formats/backup.md). One thread.
class ManifestWriter {
 public:
  ManifestWriter(ManifestFormat format, io::Disk& target, const EachCopied& each)
      : format_(format), target_(target), each_(each) {}

  Status open(const Clock& clock);
  // The same path a second time is no error and no work.
  Status copy(io::Disk& source, const io::Path& from, const io::Path& to, Missing missing);
  using Sink = std::function<Status(ByteView)>;
  Status add(const io::Path& path, const std::function<Status(const Sink&)>& produce);
  Status record_there(const io::Path& path);  // A file that already lies in the target.
  Result<CopyProgress> close();

 private:
  Status expect_all_there();
  Status line(std::string text);
  Status record(const io::Path& path, uint64_t bytes, const std::string& sha256);

  ManifestFormat format_;
  io::Disk& target_;
  const EachCopied& each_;
  std::unique_ptr<io::WriteFile> manifest_;
  std::map<std::string, uint64_t> done_;  // To their sizes.
  std::set<std::string> folders_;
  CopyProgress progress_;
};

// Every line of a finished folder's manifest; its paths stay below the folder. corrupt: not finished, of
// another format, or damaged.
Result<std::vector<ManifestLine>> read_manifest(io::Disk& folder, const ManifestFormat& format);
// Reads one file through, into `target` unless that is null. corrupt when it is not what the line says.
Status check_line(io::Disk& folder, io::Disk* target, const ManifestFormat& format, const ManifestLine& line);

// Every file below `folder`, in order; a missing folder has none. corrupt beyond `depth` folders.
Status visit_files(io::Disk& disk, const io::Path& folder, int depth,
                   const std::function<Status(const io::Path&)>& each);
Status expect_empty(io::Disk& disk, std::string_view what);  // already_exists
Status empty_folder(io::Disk& disk);

// Fills the empty folder `target` by `work`, under a mark (data_layout::restoring) that keeps every program
// from opening it until it is done; on any error it is emptied again, and so is what an earlier try left.
Result<CopyProgress> fill_data_folder(io::Disk& target, const std::function<Result<CopyProgress>()>& work);

}  // namespace holdfast::repo
