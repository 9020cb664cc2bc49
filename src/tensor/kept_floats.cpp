#include "tensor/kept_floats.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

namespace holdfast::tensor {
namespace {

constexpr size_t huge_page_bytes = 2 << 20;
constexpr size_t block_bytes = size_t{16} * huge_page_bytes;
constexpr size_t large_bytes = 64 << 10;
constexpr size_t line_bytes = 64;

size_t round_up(size_t count, size_t to) { return (count + to - 1) / to * to; }

std::shared_ptr<std::byte> make_block(size_t bytes, size_t alignment) {
  const std::align_val_t aligned{alignment};
  return {static_cast<std::byte*>(::operator new(bytes, aligned)),
          [aligned](std::byte* at) { ::operator delete(at, aligned); }};
}

// Where the next large numbers are cut from. Blocks live as long as one of their numbers does.
class Cutter {
 public:
  std::shared_ptr<std::byte> cut(size_t bytes) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<std::byte> block = block_.lock();
    if (block == nullptr || left_ < bytes) {
      const size_t whole = round_up(std::max(bytes, block_bytes), huge_page_bytes);
      std::shared_ptr<std::byte> fresh = make_block(whole, huge_page_bytes);
      ::madvise(fresh.get(), whole, MADV_HUGEPAGE);                  // A wish: small pages do as well.
      if (block != nullptr && left_ >= whole - bytes) return fresh;  // What stands has more room for others.
      block = std::move(fresh);
      block_ = block;
      next_ = block.get();
      left_ = whole;
    }
    std::byte* at = next_;
    next_ += bytes;
    left_ -= bytes;
    return {block, at};
  }

 private:
  std::mutex mutex_;  // Guards what follows.
  std::weak_ptr<std::byte> block_;
  std::byte* next_ = nullptr;
  size_t left_ = 0;
};

Cutter& cutter() {
  static Cutter one;
  return one;
}

}  // namespace

KeptFloats::KeptFloats(size_t count) : size_(count) {
  const size_t bytes = round_up(std::max<size_t>(count, 1) * sizeof(float), line_bytes);
  std::shared_ptr<std::byte> memory =
      bytes < large_bytes ? make_block(bytes, line_bytes) : cutter().cut(bytes);
  float* at = reinterpret_cast<float*>(memory.get());
  data_ = std::shared_ptr<float>(std::move(memory), at);
}

}  // namespace holdfast::tensor
