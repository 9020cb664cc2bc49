#include "content/xorb_files.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "codec/hex.h"
#include "io/streaming.h"

namespace holdfast::content {
namespace {

constexpr size_t time_digits = 12;  // Milliseconds in hexadecimal: enough until the year 10889.
constexpr size_t random_digits = 12;

std::optional<WallTime> time_of(std::string_view stamp) {
  if (stamp.size() != time_digits + random_digits || !codec::is_lower_hex(stamp, stamp.size())) return {};
  int64_t milliseconds = 0;
  std::from_chars(stamp.data(), stamp.data() + time_digits, milliseconds, 16);
  return WallTime(std::chrono::milliseconds(milliseconds));
}

}  // namespace

Status XorbFiles::open() {
  TRY_DONE(disk_.make_directories(folder_ / "temp"));
  return disk_.make_directories(folder_ / "xorbs");
}

std::string XorbFiles::stamp() {
  return fmt::format("{:012x}{}", clock_.wall().time_since_epoch().count(), random_.hex(random_digits / 2));
}

Result<std::unique_ptr<XorbFiles::Temporary>> XorbFiles::create() {
  io::Path path = folder_ / "temp" / stamp();
  TRY(auto file, io::create_streaming(disk_, path));
  return std::make_unique<Temporary>(*this, std::move(path), std::move(file));
}

XorbFiles::Temporary::~Temporary() {
  if (file_ == nullptr) return;
  file_.reset();
  (void)files_.remove(path_).ok();  // What stays is removed by the next collection.
}

Result<std::string> XorbFiles::Temporary::publish(const XorbHash& hash) {
  CHECK(file_ != nullptr);
  std::string generation = files_.stamp();
  const io::Path to = files_.path(hash, generation);
  std::atomic<bool>& made = files_.made_[std::to_integer<size_t>(hash.bytes[7])];  // The text's first byte.
  if (!made) {
    TRY_DONE(files_.disk_.make_directories(to.parent_path()));
    made = true;
  }
  TRY_DONE(files_.disk_.rename(path_, to));
  path_ = to;  // From here on it is removed under its new name.
  TRY_DONE(files_.disk_.sync_directory(to.parent_path()));
  file_.reset();
  return generation;
}

io::Path XorbFiles::path(const XorbHash& hash, std::string_view generation) const {
  const std::string text = to_text(hash);
  return folder_ / "xorbs" / text.substr(0, 2) / fmt::format("{}-{}", text, generation);
}

Result<std::shared_ptr<io::ReadFile>> XorbFiles::open(const XorbHash& hash,
                                                      std::string_view generation) const {
  TRY(auto file, disk_.open(path(hash, generation)));
  return std::shared_ptr<io::ReadFile>(std::move(file));
}

Result<std::unique_ptr<io::ReadFile>> XorbFiles::open_streaming(const XorbHash& hash,
                                                                std::string_view generation) const {
  return io::open_streaming(disk_, path(hash, generation));
}

Status XorbFiles::remove(const io::Path& path) {
  Status removed = disk_.remove(path);
  if (!removed.ok() && removed.error().code == Code::not_found) return Done{};
  return removed;
}

Result<uint64_t> XorbFiles::remove_old_temporaries(WallTime before) {
  TRY(const auto entries, disk_.list(folder_ / "temp"));
  uint64_t removed = 0;
  for (const io::Entry& entry : entries) {
    const auto made = time_of(entry.name);
    if (!made || *made >= before) continue;
    TRY_DONE(remove(folder_ / "temp" / entry.name));
    ++removed;
  }
  return removed;
}

Result<std::vector<XorbFiles::Named>> XorbFiles::list(int first_byte) const {
  const io::Path folder = folder_ / "xorbs" / fmt::format("{:02x}", first_byte);
  auto entries = disk_.list(folder);
  if (!entries.ok() && entries.error().code == Code::not_found) return std::vector<Named>{};
  if (!entries.ok()) return std::move(entries).error();
  std::vector<Named> names;
  for (const io::Entry& entry : entries.value()) {
    Named named{.path = folder / entry.name, .size = entry.size, .hash = {}, .generation = {}, .made = {}};
    const std::string_view name = entry.name;
    if (name.size() > 65 && name[64] == '-') {
      auto hash = parse_hash<XorbHash>(name.substr(0, 64));
      named.generation = name.substr(65);
      if (hash.ok()) {
        named.hash = hash.value();
        named.made = time_of(named.generation);
      }
    }
    names.push_back(std::move(named));
  }
  return names;
}

}  // namespace holdfast::content
