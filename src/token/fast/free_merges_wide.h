#pragma once

#include "token/fast/free_merges.h"

namespace holdfast::token {

// FreeMerges' rounds by what the processor has, as FreeMerges::OneByOne, whose tokens theirs are.
struct FreeMerges::Avx2 {  // 8 places at a time.
  static Selected select(Room& room);
  static size_t join(const FreeMerges& merges, Room& room);
  static void look(const FreeMerges& merges, Room& room, size_t stale);
};

struct FreeMerges::Avx512 {  // 16 places at a time.
  static Selected select(Room& room);
  static size_t join(const FreeMerges& merges, Room& room);
  static void look(const FreeMerges& merges, Room& room, size_t stale);
};

}  // namespace holdfast::token
