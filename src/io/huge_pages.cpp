#include "io/huge_pages.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "io/posix_file.h"

namespace holdfast::io {
namespace {

constexpr size_t page_bytes = 2 << 20;
// What moves at once: the more, the fewer mappings a process ends with; the kernel counts them.
constexpr size_t step_bytes = size_t{32} << 20;

// The kernel's PAGEMAP_SCAN (Linux 6.7; Documentation/admin-guide/mm/pagemap.rst), of which older systems'
// headers know nothing.
struct ScanRegion {
  uint64_t begin, end, categories;
};
struct ScanQuestion {
  uint64_t bytes = sizeof(ScanQuestion), flags = 0, begin = 0, end = 0, walk_end = 0, regions = 0,
           regions_max = 0, pages_max = 0, inverted = 0, wanted = 0, wanted_any = 0, told = 0;
};
constexpr unsigned long scan_request = _IOWR('f', 16, ScanQuestion);
constexpr uint64_t is_huge = 1 << 6;

class PageMap {
 public:
  PageMap() : descriptor_(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}

  // Whether one huge page maps these bytes; nothing where the kernel does not say.
  std::optional<bool> maps_huge(const std::byte* at) const {
    ScanRegion region{};
    ScanQuestion question;
    question.begin = reinterpret_cast<uint64_t>(at);
    question.end = question.begin + page_bytes;
    question.regions = reinterpret_cast<uint64_t>(&region);
    question.regions_max = 1;
    question.wanted = question.told = is_huge;
    const int regions = descriptor_.open() ? ::ioctl(descriptor_.get(), scan_request, &question) : -1;
    if (regions < 0) return std::nullopt;
    return regions == 1 && region.begin == question.begin && region.end == question.end;
  }

 private:
  Descriptor descriptor_;
};

std::byte* round_up(std::byte* at) {
  return at + (page_bytes - reinterpret_cast<uintptr_t>(at) % page_bytes) % page_bytes;
}

// Memory that nobody uses yet, of whole huge pages, if the kernel has them.
class Fresh {
 public:
  explicit Fresh(size_t bytes) : bytes_(bytes + page_bytes) {
    void* const at =
        ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return;
    at_ = static_cast<std::byte*>(at);
    ::madvise(at_, bytes_, MADV_HUGEPAGE);
  }
  // What has moved away is no longer in these addresses; unmapping nothing is no error. But another thread's
  // mapping may be there by now, so only the rest is given back.
  ~Fresh() {
    if (at_ == nullptr) return;
    if (moved_ == 0) {
      ::munmap(at_, bytes_);
      return;
    }
    std::byte* const begin = round_up(at_);
    if (begin > at_) ::munmap(at_, static_cast<size_t>(begin - at_));
    std::byte* const end = begin + moved_;
    if (end < at_ + bytes_) ::munmap(end, static_cast<size_t>(at_ + bytes_ - end));
  }
  Fresh(const Fresh&) = delete;
  Fresh& operator=(const Fresh&) = delete;

  std::byte* at() const { return at_ == nullptr ? nullptr : round_up(at_); }
  // The kernel holds its lock from taking away what was there until these pages are, so that whoever reads
  // waits.
  bool move(std::byte* to, size_t bytes) {
    if (::mprotect(at(), bytes, PROT_READ) != 0) return false;
    if (::mremap(at(), bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) return false;
    moved_ = bytes;
    return true;
  }

 private:
  std::byte* at_ = nullptr;
  size_t bytes_, moved_ = 0;
};

// Copies [at, at + bytes) into huge pages and puts them there.
bool replace(std::byte* at, size_t bytes, const PageMap& pages) {
  Fresh fresh(bytes);
  if (fresh.at() == nullptr) return false;
  for (size_t done = 0; done < bytes; done += page_bytes) {
    std::memcpy(fresh.at() + done, at + done, page_bytes);
    if (!pages.maps_huge(fresh.at() + done).value_or(true)) return false;  // Small ones are no better.
  }
  return fresh.move(at, bytes);
}

// Where the kernel promises no more memory than there is, it counts what moves twice while it moves, and may
// refuse when the old pages are gone already.
bool counts_memory() {
  const Descriptor file(::open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC));
  char mode = 0;
  return file.open() && ::read(file.get(), &mode, 1) == 1 && mode == '2';
}

}  // namespace

size_t move_into_huge_pages(std::span<const std::byte> mapping) {
  auto* const first = const_cast<std::byte*>(mapping.data());
  std::byte* const begin = round_up(first);
  std::byte* const end = first + mapping.size();
  const PageMap pages;
  const auto is_small = [&](const std::byte* at) {
    return end - at >= ptrdiff_t{page_bytes} && !pages.maps_huge(at).value_or(false);
  };
  size_t moved = 0;
  if (counts_memory()) return moved;
  for (std::byte* at = begin; at < end && end - at >= ptrdiff_t{page_bytes};) {
    size_t bytes = 0;
    while (bytes < step_bytes && is_small(at + bytes)) bytes += page_bytes;
    if (bytes > 0 && !replace(at, bytes, pages)) return moved;
    moved += bytes;
    at += std::max(bytes, page_bytes);
  }
  return moved;
}

}  // namespace holdfast::io
