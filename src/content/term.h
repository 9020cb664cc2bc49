#pragma once

#include <cstdint>

#include "content/hash.h"

namespace holdfast::content {

// Chunks [first, end) of a xorb.
struct ChunkRange {
  uint32_t first = 0, end = 0;
  uint32_t count() const { return end - first; }
  friend bool operator==(const ChunkRange&, const ChunkRange&) = default;
};

// A piece of a file: chunks of one xorb.
struct Term {
  XorbHash xorb;
  ChunkRange chunks;
  uint64_t length = 0;  // Of the chunks, uncompressed.
  friend bool operator==(const Term&, const Term&) = default;
};

}  // namespace holdfast::content
