#pragma once

#include <cstddef>
#include <span>

// What the kernel is asked about the pages of a mapping. For io/ only.
namespace holdfast::io {

// Puts huge pages of this process's own in the place of a mapping's small ones, at the same addresses and
// with the same bytes, which other threads may read meanwhile. What the kernel maps by huge pages already
// stays shared with who else maps it; so does everything where the kernel has no huge pages to give.
// `mapping` has been read before: what was never touched is in no page. Gives the bytes that moved.
size_t move_into_huge_pages(std::span<const std::byte> mapping);

}  // namespace holdfast::io
