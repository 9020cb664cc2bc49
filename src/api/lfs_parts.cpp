#include "api/lfs_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "codec/crc.h"
#include "codec/hex.h"
#include "io/temporary.h"

namespace holdfast::api {
namespace {

constexpr size_t read_bytes = 1 << 20;

// Only names that `part_folder` makes reach the disk, signed or not.
Status check_folder(std::string_view folder) {
  const size_t dash = folder.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash > 20 ||
      !codec::is_lower_hex(folder.substr(dash + 1), 32))
    return fail(Reason::bad_request, "this is no upload in parts");
  for (char c : folder.substr(0, dash))
    if (c < '0' || c > '9') return fail(Reason::bad_request, "this is no upload in parts");
  return Done{};
}

std::string file_name(uint32_t number) { return fmt::format("{:05}", number); }

class DiskPartWriter final : public PartWriter {
 public:
  DiskPartWriter(io::Disk& disk, std::unique_ptr<io::WriteFile> file, io::Path temporary, io::Path final_path,
                 uint64_t size)
      : disk_(disk),
        file_(std::move(file)),
        temporary_(std::move(temporary)),
        path_(std::move(final_path)),
        size_(size) {}
  ~DiskPartWriter() override {
    if (!published_) (void)disk_.remove(temporary_).ok();  // Swept with its folder if not now.
  }

  Status write(ByteView bytes) override {
    if (bytes.size() > size_ - file_->size())
      return fail(Reason::bad_request, fmt::format("the part is longer than {} bytes", size_));
    crc_ = codec::crc32(bytes, crc_);
    return file_->append(bytes);
  }

  Result<std::string> finish() override {
    if (file_->size() != size_)
      return fail(Reason::bad_request,
                  fmt::format("the part has {} bytes instead of {}", file_->size(), size_));
    TRY_DONE(disk_.rename(temporary_, path_));
    published_ = true;
    return fmt::format("\"{:08x}-{}\"", crc_, size_);
  }

 private:
  io::Disk& disk_;
  std::unique_ptr<io::WriteFile> file_;
  io::Path temporary_, path_;
  uint64_t size_;
  uint32_t crc_ = 0;
  bool published_ = false;
};

}  // namespace

uint32_t part_count(uint64_t size, uint64_t part_bytes) {
  return static_cast<uint32_t>(size / part_bytes + (size % part_bytes == 0 ? 0 : 1));
}

uint64_t part_size(uint64_t size, uint64_t part_bytes, uint32_t number) {
  const uint64_t before = (number - 1) * part_bytes;
  return std::min(part_bytes, size - before);
}

Result<std::unique_ptr<PartWriter>> LfsParts::begin(const LfsPart& part) {
  TRY_DONE(check_folder(part.folder));
  const io::Path folder = root_ / part.folder;
  TRY_DONE(disk_.make_directories(folder));
  const io::Path path = folder / file_name(part.number);
  const io::Path temporary = folder / io::temporary_name(random_, file_name(part.number));
  TRY(auto file, disk_.create(temporary));
  return std::unique_ptr<PartWriter>(
      std::make_unique<DiskPartWriter>(disk_, std::move(file), temporary, path, part.size));
}

Status LfsParts::read_all(const LfsTicket& ticket, std::string_view folder, uint64_t part_bytes,
                          const std::function<Status(ByteView)>& each) {
  TRY_DONE(check_folder(folder));
  Bytes buffer(read_bytes);
  for (uint32_t number = 1; number <= part_count(ticket.size, part_bytes); ++number) {
    const uint64_t size = part_size(ticket.size, part_bytes, number);
    const auto missing = [number] {
      return fail(Reason::object_missing, fmt::format("part {} is missing", number));
    };
    const auto file = disk_.open(root_ / folder / file_name(number));
    if (!file.ok() && file.error().code == Code::not_found) return missing();
    if (!file.ok()) return file.error();
    TRY(const uint64_t found, file.value()->size());
    if (found != size) return missing();
    for (uint64_t offset = 0; offset < size;) {
      TRY(const size_t got, file.value()->read_at(offset, buffer));
      if (got == 0) return missing();
      TRY_DONE(each(ByteView(buffer).first(got)));
      offset += got;
    }
  }
  return Done{};
}

Status LfsParts::remove(std::string_view folder) {
  TRY_DONE(check_folder(folder));
  return disk_.remove_tree(root_ / folder);
}

Status LfsParts::remove_old(WallTime now) {
  const auto entries = disk_.list(root_);
  if (!entries.ok()) return entries.error().code == Code::not_found ? Status(Done{}) : entries.error();
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  for (const io::Entry& entry : entries.value()) {
    int64_t expires = 0;
    const auto read = std::from_chars(entry.name.data(), entry.name.data() + entry.name.size(), expires);
    if (read.ec != std::errc() || !check_folder(entry.name).ok() || expires > seconds) continue;
    TRY_DONE(disk_.remove_tree(root_ / entry.name));
  }
  return Done{};
}

}  // namespace holdfast::api
