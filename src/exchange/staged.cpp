#include "exchange/staged.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::exchange {
namespace {

constexpr size_t read_bytes = 1 << 20;

// A file that is there as it is.
class WholeSource final : public scan::Source {
 public:
  WholeSource(io::Disk& disk, io::Path path, uint64_t size)
      : disk_(disk), path_(std::move(path)), size_(size) {}

  uint64_t size() const override { return size_; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    if (offset >= size_) return size_t{0};
    if (!open_) {
      TRY(open_, disk_.open(path_));
    }
    return open_->read_at(offset, into.first(std::min<uint64_t>(into.size(), size_ - offset)));
  }

 private:
  io::Disk& disk_;
  io::Path path_;
  uint64_t size_;
  std::unique_ptr<io::ReadFile> open_;
};

// Keeps the piece it read last open: scanners and readers go on where they were.
class StagedSource final : public scan::Source {
 public:
  StagedSource(io::Disk& disk, io::Path folder, uint64_t size)
      : disk_(disk), folder_(std::move(folder)), size_(size) {}

  uint64_t size() const override { return size_; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    if (offset >= size_) return size_t{0};
    into = into.first(std::min<uint64_t>(into.size(), size_ - offset));
    size_t filled = 0;
    while (filled < into.size()) {
      const uint64_t at = offset + filled;
      const auto piece = static_cast<size_t>(at / piece_bytes);
      if (!open_ || piece != open_piece_) {
        auto opened = disk_.open(folder_ / std::to_string(piece));
        if (!opened.ok() && opened.error().code == Code::not_found) return filled;
        TRY(open_, std::move(opened));
        open_piece_ = piece;
      }
      const uint64_t within = at % piece_bytes;
      const size_t wanted = std::min<uint64_t>(into.size() - filled, piece_bytes - within);
      TRY(const size_t got, open_->read_at(within, into.subspan(filled, wanted)));
      if (got == 0) return filled;
      filled += got;
    }
    return filled;
  }

 private:
  io::Disk& disk_;
  io::Path folder_;
  uint64_t size_;
  std::unique_ptr<io::ReadFile> open_;
  size_t open_piece_ = 0;
};

}  // namespace

io::Path StagedFile::path(size_t piece) const { return folder_ / std::to_string(piece); }

uint64_t StagedFile::length(size_t piece) const {
  return std::min<uint64_t>(piece_bytes, size_ - piece * piece_bytes);
}

Result<uint64_t> StagedFile::have(size_t piece) const {
  const auto entry = disk_->stat(path(piece));
  if (!entry.ok() && entry.error().code == Code::not_found) return uint64_t{0};
  if (!entry.ok()) return entry.error();
  if (entry.value().size > length(piece)) {  // Not ours: begun anew.
    TRY_DONE(disk_->remove(path(piece)));
    return uint64_t{0};
  }
  return entry.value().size;
}

Result<std::unique_ptr<io::WriteFile>> StagedFile::append(size_t piece) const {
  TRY_DONE(disk_->make_directories(folder_));
  return disk_->open_append(path(piece));
}

Status StagedFile::forget() const { return disk_->remove_tree(folder_); }

Status StagedFile::forget_piece(size_t piece) const {
  const Status gone = disk_->remove(path(piece));
  return gone.ok() || gone.error().code == Code::not_found ? Status(Done{}) : gone;
}

Result<size_t> StagedFile::read_at(uint64_t offset, std::span<std::byte> into) const {
  return source()->read_at(offset, into);
}

std::unique_ptr<scan::Source> StagedFile::source() const {
  if (form_ == Form::whole) return std::make_unique<WholeSource>(*disk_, folder_, size_);
  return std::make_unique<StagedSource>(*disk_, folder_, size_);
}

Status StagedFile::each(const std::function<Status(ByteView)>& take) const {
  const auto from = source();
  Bytes buffer(read_bytes);
  for (uint64_t at = 0; at < size_;) {
    TRY(const size_t got, from->read_at(at, buffer));
    if (got == 0) return fail(Code::corrupt, "a staged file is shorter than it should be");
    TRY_DONE(take(ByteView(buffer).first(got)));
    at += got;
  }
  return Done{};
}

}  // namespace holdfast::exchange
