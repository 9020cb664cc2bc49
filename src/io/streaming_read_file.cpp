#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>
#include <optional>

#include "base/check.h"
#include "io/streaming_file.h"

namespace holdfast::io {
namespace {

constexpr size_t alignment = 4096;
constexpr size_t window_bytes = 2 << 20;

struct FreeWindow {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};

// A piece of the file at a multiple of window_bytes.
struct Window {
  std::unique_ptr<std::byte, FreeWindow> bytes;
  uint64_t index = 0;
  size_t size = 0;
};

class StreamingReadFile final : public ReadFile {
 public:
  StreamingReadFile(Descriptor descriptor, std::string name)
      : fd_(descriptor.get()),
        name_(name),
        plain_(make_posix_read_file(std::move(descriptor), std::move(name))) {}

  Result<uint64_t> size() const override { return plain_->size(); }
  int descriptor() const override { return -1; }  // Whoever sends it should find it in the page cache.

  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    const std::lock_guard lock(mutex_);
    size_t filled = 0;
    while (filled < into.size()) {
      const uint64_t at = offset + filled;
      TRY_DONE(hold(at / window_bytes));
      const size_t within = at % window_bytes;
      if (within >= held_->size) break;
      const size_t count = std::min(into.size() - filled, held_->size - within);
      std::memcpy(into.data() + filled, held_->bytes.get() + within, count);
      filled += count;
    }
    return filled;
  }

 private:
  Status hold(uint64_t index) const {
    if (held_ && held_->index == index) return Done{};
    Result<Window> window = fail(Code::internal, "not read");
    if (next_.valid() && next_index_ == index) {
      window = next_.get();
    } else {
      if (next_.valid()) next_.wait();
      window = load(index);
    }
    if (!window.ok()) return std::move(window).error();
    held_ = std::move(window).value();
    if (held_->size < window_bytes) return Done{};
    next_index_ = index + 1;
    next_ = std::async(std::launch::async, [this, next = next_index_] { return load(next); });
    return Done{};
  }

  Result<Window> load(uint64_t index) const {
    Window window{.bytes = {}, .index = index, .size = 0};
    window.bytes.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, window_bytes)));
    CHECK(window.bytes != nullptr);
    while (window.size < window_bytes) {
      const ssize_t got = ::pread(fd_, window.bytes.get() + window.size, window_bytes - window.size,
                                  static_cast<off_t>(index * window_bytes + window.size));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return disk_error(errno, "read", name_);
      window.size += static_cast<size_t>(got);
      if (static_cast<size_t>(got) % alignment != 0 || got == 0) break;  // The end of the file.
    }
    return window;
  }

  const int fd_;  // plain_'s.
  const std::string name_;
  const std::unique_ptr<ReadFile> plain_;  // The descriptor's owner.
  mutable std::mutex mutex_;               // Guards all below.
  mutable std::optional<Window> held_;
  mutable uint64_t next_index_ = 0;
  mutable std::future<Result<Window>> next_;  // Waited for on destruction, before the file is closed.
};

}  // namespace

std::unique_ptr<ReadFile> make_streaming_read_file(Descriptor descriptor, std::string name) {
  const int flags = ::fcntl(descriptor.get(), F_GETFL);
  if (flags < 0 || ::fcntl(descriptor.get(), F_SETFL, flags | O_DIRECT) != 0)
    return make_posix_read_file(std::move(descriptor), std::move(name));
  return std::make_unique<StreamingReadFile>(std::move(descriptor), std::move(name));
}

}  // namespace holdfast::io
