#include "scan/source.h"

#include <algorithm>

namespace holdfast::scan {
namespace {

constexpr size_t window_bytes = 256 << 10, hand_bytes_min = 512;

class MemorySource final : public Source {
 public:
  explicit MemorySource(ByteView bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    if (offset >= bytes_.size()) return size_t{0};
    const size_t count = std::min<uint64_t>(into.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), count, into.begin());
    return count;
  }

 private:
  ByteView bytes_;
};

class PartSource final : public Source {
 public:
  PartSource(Source& whole, uint64_t begin, uint64_t length)
      : whole_(whole),
        begin_(std::min(begin, whole.size())),
        length_(std::min(length, whole.size() - begin_)) {}
  uint64_t size() const override { return length_; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    if (offset >= length_) return size_t{0};
    return whole_.read_at(begin_ + offset, into.first(std::min<uint64_t>(into.size(), length_ - offset)));
  }

 private:
  Source& whole_;
  const uint64_t begin_, length_;
};

Error ended() { return fail(Code::corrupt, "the bytes end too early"); }

}  // namespace

std::unique_ptr<Source> memory_source(ByteView bytes) { return std::make_unique<MemorySource>(bytes); }
std::unique_ptr<Source> part_source(Source& whole, uint64_t begin, uint64_t length) {
  return std::make_unique<PartSource>(whole, begin, length);
}

Result<Bytes> read_some(Source& source, uint64_t offset, size_t count) {
  Bytes bytes(offset < source.size() ? std::min<uint64_t>(count, source.size() - offset) : 0);
  TRY(const size_t got, source.read_at(offset, bytes));
  bytes.resize(got);
  return bytes;
}

// Afterwards the window holds `count` bytes from at_, or the rest.
Status Cursor::fill(size_t count) {
  if (at_ >= window_at_ && at_ + count <= window_at_ + window_.size()) return Done{};
  const size_t wanted = std::max(count, window_bytes);
  // The window stays the same memory: fresh pages for each would cost more than the reading.
  const size_t there = std::min<uint64_t>(wanted, left());
  window_.resize(there);
  window_at_ = at_;
  auto got = source_.read_at(at_, window_);
  window_.resize(got.ok() ? got.value() : 0);
  if (!got.ok()) return std::move(got).error();
  return Done{};
}

Result<ByteView> Cursor::at_hand() {
  TRY_DONE(fill(std::min<uint64_t>(left(), hand_bytes_min)));
  return ByteView(window_).subspan(std::min<size_t>(at_ - window_at_, window_.size()));
}

Result<uint8_t> Cursor::byte() {
  if (left() == 0) return ended();
  TRY_DONE(fill(1));
  if (at_ - window_at_ >= window_.size()) return ended();
  return std::to_integer<uint8_t>(window_[at_++ - window_at_]);
}

Result<uint64_t> Cursor::number(size_t width) {
  TRY(const ByteView raw, take(width));
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<uint8_t>(raw[i]);
  return value;
}

Result<ByteView> Cursor::take(size_t count) {
  if (count > keep_bytes_max || count > left()) return ended();
  TRY_DONE(fill(count));
  const size_t begin = at_ - window_at_;
  if (window_.size() - begin < count) return ended();
  at_ += count;
  return ByteView(window_).subspan(begin, count);
}

Status Cursor::skip(uint64_t count) {
  if (count > left()) return ended();
  at_ += count;
  return Done{};
}

Result<std::string_view> Cursor::line() {
  TRY_DONE(fill(std::min<uint64_t>(left(), line_bytes_max + 1)));
  const std::string_view rest =
      as_text(ByteView(window_).subspan(std::min<size_t>(at_ - window_at_, window_.size())));
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos || end > line_bytes_max) return ended();
  at_ += end + 1;
  return rest.substr(0, end);
}

}  // namespace holdfast::scan
