#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <vector>

namespace holdfast::token {

// Memory of tables that are read at random: from 1 MiB on it asks for large pages, since a read that misses
// the list of known pages costs several times one that misses the caches.
template <class T>
struct LargePages {
  using value_type = T;

  LargePages() = default;
  template <class Other>
  LargePages(const LargePages<Other>&) {}

  T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    if (bytes < large_from) return static_cast<T*>(::operator new(bytes, std::align_val_t{line}));
    const size_t rounded = (bytes + page - 1) / page * page;
    void* const memory = ::operator new(rounded, std::align_val_t{page});
    madvise(memory, rounded, MADV_HUGEPAGE);  // A wish: what it answers does not matter.
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) {
    const size_t alignment = count * sizeof(T) < large_from ? line : page;
    ::operator delete(memory, std::align_val_t{alignment});
  }
  friend bool operator==(const LargePages&, const LargePages&) { return true; }

 private:
  static constexpr size_t page = size_t{2} << 20U, large_from = size_t{1} << 20U, line = 64;
};

// A table of zeros whose memory is taken as it is written to.
template <class T>
class ZeroedTable {
 public:
  explicit ZeroedTable(size_t count) : bytes_(count * sizeof(T)) {
    void* const memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, bytes_, MADV_HUGEPAGE);
    data_ = static_cast<T*>(memory);
  }
  ~ZeroedTable() { munmap(data_, bytes_); }
  ZeroedTable(const ZeroedTable&) = delete;
  ZeroedTable& operator=(const ZeroedTable&) = delete;

  T& operator[](size_t at) { return data_[at]; }
  const T& operator[](size_t at) const { return data_[at]; }

 private:
  static_assert(std::is_trivially_copyable_v<T>);
  size_t bytes_;
  T* data_ = nullptr;
};

// Room for so many in an ordinary vector or string, of large pages where it is a lot: what comes of a long
// text is written once, and to get its memory 4 KiB at a time took a sixth of the whole time.
template <class Container>
void reserve_large(Container& out, size_t count) {
  constexpr size_t page = size_t{2} << 20U;
  if (count <= out.capacity()) return;
  out.reserve(count);
  const auto begin = (reinterpret_cast<uintptr_t>(out.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(out.data() + out.capacity()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

template <class T>
using LargeVector = std::vector<T, LargePages<T>>;

}  // namespace holdfast::token
