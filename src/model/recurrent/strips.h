#pragma once

#include <cstddef>
#include <type_traits>

namespace holdfast::model {

inline constexpr size_t strip_width = 16;

// work(first, count) for sixteen numbers at a time, a count that compilers know and make vectors of, and once
// for those left over. Which numbers are together hangs on `width` alone.
template <class Work>
void by_strips(size_t width, Work work) {
  size_t first = 0;
  for (; first + strip_width <= width; first += strip_width)
    work(first, std::integral_constant<size_t, strip_width>());
  if (first < width) work(first, width - first);
}

}  // namespace holdfast::model
