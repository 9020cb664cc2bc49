#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::scan {

// Bytes to be looked at, at any place of them. One thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  virtual uint64_t size() const = 0;
  // Fills `into` from `offset`; fewer bytes only at the end.
  virtual Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) = 0;
};

// Borrows the bytes.
std::unique_ptr<Source> memory_source(ByteView bytes);
// Part of another, which it borrows.
std::unique_ptr<Source> part_source(Source& whole, uint64_t begin, uint64_t length);

// As much as there is from `offset`, `count` at most.
Result<Bytes> read_some(Source& source, uint64_t offset, size_t count);

// Reads a source from some place on through a window, so that small reads cost little.
class Cursor {
 public:
  Cursor(Source& source, uint64_t at) : source_(source), at_(at) {}

  uint64_t position() const { return at_; }
  uint64_t left() const { return at_ < source_.size() ? source_.size() - at_ : 0; }
  // Fails with Code::corrupt at the end.
  Result<uint8_t> byte();
  // A little-endian number of 1 to 8 bytes.
  Result<uint64_t> number(size_t width);
  // `count` bytes, which live until the next call. Refuses more than keep_bytes_max.
  Result<ByteView> take(size_t count);
  Status skip(uint64_t count);
  // Up to and without the next line feed; corrupt when it is longer than line_bytes_max.
  Result<std::string_view> line();

  // The bytes from here on that are at hand, some hundred at least where there are so many; they live until
  // the next call of another function. `pass` goes over as many of them.
  Result<ByteView> at_hand();
  void pass(size_t count) { at_ += count; }

  static constexpr size_t keep_bytes_max = 1 << 16;
  static constexpr size_t line_bytes_max = 1 << 16;

 private:
  Status fill(size_t count);

  Source& source_;
  uint64_t at_;
  Bytes window_;
  uint64_t window_at_ = 0;  // Where in the source the window begins.
};

}  // namespace holdfast::scan
