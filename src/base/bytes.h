#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Every number that comes from outside is read through here: a read past the end is an error, never a crash.
// Borrows the bytes.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  size_t position() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

  Result<ByteView> take(size_t count) {
    if (count > left()) return fail(Code::corrupt, "the input ends too early");
    const ByteView taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }
  Status skip(size_t count) {
    TRY([[maybe_unused]] ByteView skipped, take(count));
    return Done{};
  }
  Result<uint8_t> u8() { return little<uint8_t>(1); }
  Result<uint16_t> u16() { return little<uint16_t>(2); }
  Result<uint32_t> u24() { return little<uint32_t>(3); }
  Result<uint32_t> u32() { return little<uint32_t>(4); }
  Result<uint64_t> u64() { return little<uint64_t>(8); }
  Result<uint32_t> u32_big_endian() {
    TRY(uint32_t value, u32());
    return __builtin_bswap32(value);
  }

 private:
  static_assert(std::endian::native == std::endian::little);

  template <class T>
  Result<T> little(size_t width) {
    TRY(ByteView raw, take(width));
    T value = 0;
    std::memcpy(&value, raw.data(), width);
    return value;
  }

  ByteView bytes_;
  size_t at_ = 0;
};

// Appends little-endian numbers and bytes to a buffer it owns.
class ByteWriter {
 public:
  void bytes(ByteView more) { out_.insert(out_.end(), more.begin(), more.end()); }
  void text(std::string_view more) { bytes(as_bytes(more)); }
  void zeros(size_t count) { out_.resize(out_.size() + count); }
  void u8(uint8_t value) { little(value, 1); }
  void u16(uint16_t value) { little(value, 2); }
  void u24(uint32_t value) { little(value, 3); }
  void u32(uint32_t value) { little(value, 4); }
  void u64(uint64_t value) { little(value, 8); }

  size_t size() const { return out_.size(); }
  const Bytes& view() const& { return out_; }
  Bytes take() && { return std::move(out_); }

 private:
  template <class T>
  void little(T value, size_t width) {
    const auto* raw = reinterpret_cast<const std::byte*>(&value);
    out_.insert(out_.end(), raw, raw + width);
  }

  Bytes out_;
};

}  // namespace holdfast
