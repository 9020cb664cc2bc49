#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "content/hash.h"

namespace holdfast::content {

// The root over chunks that come one by one: docs/formats/xorb.md, "Names". Holds at most nine nodes a level,
// however long the file. A value; used by one thread.
class MerkleTree {
 public:
  void add(const ChunkLeaf& leaf) { add(0, leaf); }
  uint64_t leaves() const { return levels_.empty() ? 0 : levels_[0].count; }
  // Over what was added so far; zero for nothing.
  std::array<std::byte, 32> root() const;
  XorbHash xorb_hash() const { return {root()}; }
  FileHash file_hash() const;

 private:
  struct Level {
    std::vector<ChunkLeaf> group;  // Not under a parent yet.
    uint64_t count = 0;            // All nodes of the level.
  };
  void add(size_t level, const ChunkLeaf& node);
  void close(size_t level);

  std::vector<Level> levels_;
};

}  // namespace holdfast::content
