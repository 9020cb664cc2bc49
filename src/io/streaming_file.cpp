#include "io/streaming_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/check.h"

namespace holdfast::io {
namespace {

constexpr size_t alignment = 4096;  // Of memory, offsets and lengths: every disk block divides it.
constexpr size_t buffer_bytes = 1 << 20;
constexpr size_t buffers_max = 3;

struct FreeBuffer {
  void operator()(std::byte* buffer) const { std::free(buffer); }
};
using Buffer = std::unique_ptr<std::byte, FreeBuffer>;

Buffer make_buffer() {
  Buffer buffer(static_cast<std::byte*>(std::aligned_alloc(alignment, buffer_bytes)));
  CHECK(buffer != nullptr);
  return buffer;
}

class StreamingWriteFile final : public WriteFile {
 public:
  StreamingWriteFile(Descriptor descriptor, std::string name)
      : fd_(descriptor.get()),
        name_(name),
        plain_(make_posix_write_file(std::move(descriptor), 0, std::move(name))) {}
  ~StreamingWriteFile() override { stop(); }

  Status append(ByteView bytes) override {
    if (settled_) return write_at(size_, bytes);
    while (!bytes.empty()) {
      if (current_ == nullptr) {
        TRY(current_, empty_buffer());
      }
      const size_t taken = std::min(bytes.size(), buffer_bytes - filled_);
      std::memcpy(current_.get() + filled_, bytes.data(), taken);
      filled_ += taken;
      size_ += taken;
      bytes = bytes.subspan(taken);
      if (filled_ < buffer_bytes) continue;
      if (!worker_.joinable() && !begin_streaming()) {
        TRY_DONE(settle());
        return append(bytes);
      }
      push(std::move(current_));
      filled_ = 0;
    }
    return Done{};
  }

  Status write_at(uint64_t offset, ByteView bytes) override {
    TRY_DONE(settle());
    TRY_DONE(plain_->write_at(offset, bytes));
    size_ = std::max<uint64_t>(size_, offset + bytes.size());
    return Done{};
  }
  Status truncate(uint64_t size) override {
    TRY_DONE(settle());
    TRY_DONE(plain_->truncate(size));
    size_ = size;
    return Done{};
  }
  Status sync() override {
    TRY_DONE(settle());
    return plain_->sync();
  }
  uint64_t size() const override { return size_; }

 private:
  // False where the file system cannot.
  bool begin_streaming() {
    const int flags = ::fcntl(fd_, F_GETFL);
    if (flags < 0 || ::fcntl(fd_, F_SETFL, flags | O_DIRECT) != 0) return false;
    worker_ = std::thread([this] { work(); });
    return true;
  }

  // Everything written, and the file an ordinary one from here on.
  Status settle() {
    if (settled_) return outcome();
    settled_ = true;
    if (worker_.joinable()) {
      {
        const std::lock_guard lock(mutex_);
        closed_ = true;
      }
      changed_.notify_all();
      worker_.join();
      leave_direct();
    }
    TRY_DONE(outcome());
    if (filled_ == 0) return Done{};
    const Status written = plain_->write_at(size_ - filled_, ByteView(current_.get(), filled_));
    current_.reset();
    if (!written.ok()) return failed(written.error());
    return Done{};
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      full_.clear();
    }
    changed_.notify_all();
    if (worker_.joinable()) worker_.join();
  }

  Result<Buffer> empty_buffer() {
    std::unique_lock lock(mutex_);
    if (made_ < buffers_max && empty_.empty()) {
      ++made_;
      return make_buffer();
    }
    changed_.wait(lock, [this] { return !empty_.empty() || error_; });
    if (error_) return *error_;
    Buffer buffer = std::move(empty_.back());
    empty_.pop_back();
    return buffer;
  }
  void push(Buffer buffer) {
    {
      const std::lock_guard lock(mutex_);
      full_.push_back(std::move(buffer));
    }
    changed_.notify_all();
  }
  Status outcome() {
    const std::lock_guard lock(mutex_);
    return error_ ? Status(*error_) : Status(Done{});
  }
  Status failed(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
    return *error_;
  }

  void work() {
    for (uint64_t offset = 0;; offset += buffer_bytes) {
      Buffer buffer;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !full_.empty() || closed_; });
        if (full_.empty()) return;
        buffer = std::move(full_.front());
        full_.pop_front();
      }
      Status written = write_whole(buffer.get(), offset);
      {
        const std::lock_guard lock(mutex_);
        if (!written.ok() && !error_) error_ = written.error();
        empty_.push_back(std::move(buffer));
      }
      changed_.notify_all();
      if (!written.ok()) return;
    }
  }

  Status write_whole(const std::byte* bytes, uint64_t offset) const {
    size_t done = 0;
    while (done < buffer_bytes) {
      const ssize_t put = ::pwrite(fd_, bytes + done, buffer_bytes - done, static_cast<off_t>(offset + done));
      const int why = errno;
      if (put > 0) done += static_cast<size_t>(put);
      // A disk of larger blocks than we know, or a write cut short where none begins: go on the ordinary way.
      const bool crooked = put < 0 ? why == EINVAL : done % alignment != 0;
      const bool left = crooked && leave_direct();
      if (put < 0 && why != EINTR && !left) return disk_error(why, "write", name_);
    }
    return Done{};
  }

  // Whether it was written past the cache until now, and no longer is.
  bool leave_direct() const {
    const int flags = ::fcntl(fd_, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0 && ::fcntl(fd_, F_SETFL, flags & ~O_DIRECT) == 0;
  }

  const int fd_;  // plain_'s.
  const std::string name_;
  const std::unique_ptr<WriteFile> plain_;  // The descriptor's owner; writes by itself once settled.
  std::thread worker_;
  Buffer current_;
  size_t filled_ = 0;  // Of current_.
  uint64_t size_ = 0;
  bool settled_ = false;

  std::mutex mutex_;  // Guards all below.
  std::condition_variable changed_;
  std::deque<Buffer> full_;
  std::vector<Buffer> empty_;
  size_t made_ = 0;
  bool closed_ = false;
  std::optional<Error> error_;
};

}  // namespace

std::unique_ptr<WriteFile> make_streaming_write_file(Descriptor descriptor, std::string name) {
  return std::make_unique<StreamingWriteFile>(std::move(descriptor), std::move(name));
}

}  // namespace holdfast::io
