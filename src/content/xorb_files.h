#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "content/hash.h"
#include "io/disk.h"

namespace holdfast::content {

// The store's files: FOLDER/temp/TIME-RANDOM while they are written, FOLDER/xorbs/HH/HASH-GENERATION once
// they are whole. Both names begin their last part with the time in milliseconds, which is how leftovers tell
// their age. Borrows all; safe from any thread.
class XorbFiles {
 public:
  XorbFiles(io::Path folder, io::Disk& disk, const Clock& clock, Random& random)
      : folder_(std::move(folder)), disk_(disk), clock_(clock), random_(random) {}
  Status open();

  // A file being written, removed on destruction unless it was published.
  class Temporary {
   public:
    Temporary(XorbFiles& files, io::Path path, std::unique_ptr<io::WriteFile> file)
        : files_(files), path_(std::move(path)), file_(std::move(file)) {}
    ~Temporary();
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

    io::WriteFile& file() { return *file_; }
    // Gives the synced file its name, durably, and answers with the generation.
    Result<std::string> publish(const XorbHash& hash);

   private:
    XorbFiles& files_;
    io::Path path_;
    std::unique_ptr<io::WriteFile> file_;  // Null once published.
  };
  Result<std::unique_ptr<Temporary>> create();

  io::Path path(const XorbHash& hash, std::string_view generation) const;
  Result<std::shared_ptr<io::ReadFile>> open(const XorbHash& hash, std::string_view generation) const;
  // For one reader from start to end; leaves nothing in the page cache.
  Result<std::unique_ptr<io::ReadFile>> open_streaming(const XorbHash& hash,
                                                       std::string_view generation) const;
  // Missing is fine: a removal may have been interrupted before it was noted.
  Status remove(const io::Path& path);
  Result<uint64_t> remove_old_temporaries(WallTime before);

  struct Named {
    io::Path path;
    uint64_t size = 0;
    XorbHash hash;
    std::string generation;
    std::optional<WallTime> made;  // Absent: not a name of ours.
  };
  // Every file under FOLDER/xorbs, folder by folder.
  template <class Each>
  Status visit(Each each) const {
    for (int digits = 0; digits < 256; ++digits) {
      TRY(const auto names, list(digits));
      for (const Named& name : names) TRY_DONE(each(name));
    }
    return Done{};
  }

 private:
  std::string stamp();
  Result<std::vector<Named>> list(int first_byte) const;

  io::Path folder_;
  io::Disk& disk_;
  const Clock& clock_;
  Random& random_;
  std::array<std::atomic<bool>, 256> made_{};  // Folders known to be there.
};

}  // namespace holdfast::content
