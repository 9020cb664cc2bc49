#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/disk.h"
#include "scan/source.h"

namespace holdfast::exchange {

inline constexpr uint64_t piece_bytes = 16 << 20;

// A file that comes in pieces of piece_bytes, each a file of its own below `folder`, so that several can come
// at once and a piece that broke off goes on where it stopped, after a restart too. Whose thread writes which
// piece is the caller's to decide; reading what has been written is safe from any.
class StagedFile {
 public:
  StagedFile(io::Disk& disk, io::Path folder, uint64_t size)
      : disk_(&disk), folder_(std::move(folder)), size_(size) {}
  // One that lies whole at `file` and is only read.
  static StagedFile whole(io::Disk& disk, io::Path file, uint64_t size) {
    StagedFile out(disk, std::move(file), size);
    out.form_ = Form::whole;
    return out;
  }

  uint64_t size() const { return size_; }
  size_t pieces() const { return size_ == 0 ? 0 : static_cast<size_t>((size_ - 1) / piece_bytes + 1); }
  uint64_t length(size_t piece) const;
  // How much of a piece lies on the disk.
  Result<uint64_t> have(size_t piece) const;
  // For appending to a piece.
  Result<std::unique_ptr<io::WriteFile>> append(size_t piece) const;
  Status forget() const;                    // All of it.
  Status forget_piece(size_t piece) const;  // Missing is fine.

  // Fills `into` from `offset`, across pieces; fewer bytes at the end of what is there.
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const;
  // For the scanner and for whoever takes it over; borrows the disk.
  std::unique_ptr<scan::Source> source() const;
  Status each(const std::function<Status(ByteView)>& take) const;

 private:
  enum class Form : uint8_t { pieces, whole };

  io::Path path(size_t piece) const;

  io::Disk* disk_;
  io::Path folder_;  // The file itself, where it is whole.
  uint64_t size_;
  Form form_ = Form::pieces;
};

}  // namespace holdfast::exchange
