#include "app/heap.h"

#include <malloc.h>

#include <algorithm>
#include <thread>

namespace holdfast::app {

void limit_heap_arenas() {
  constexpr unsigned arenas_min = 4;
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(arenas_min, 2 * std::thread::hardware_concurrency())));
}

void return_free_heap() { malloc_trim(0); }

}  // namespace holdfast::app
