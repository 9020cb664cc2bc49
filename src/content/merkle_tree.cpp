#include "content/merkle_tree.h"

#include "content/xet_format.h"

namespace holdfast::content {
namespace {

// From the third node on a group ends after a node whose hash says so, at the latest after nine.
bool ends_group(size_t size, const ChunkHash& last) {
  if (size == merkle_branching_max) return true;
  uint64_t number = 0;
  std::memcpy(&number, last.bytes.data() + 24, sizeof number);
  return size >= 3 && number % merkle_branching_mean == 0;
}

// Parents are hashed over text, as the protocol has it.
ChunkLeaf parent_of(const std::vector<ChunkLeaf>& children) {
  std::string text;
  ChunkLeaf parent;
  for (const ChunkLeaf& child : children) {
    text += to_text(child.hash);
    text += " : ";
    text += std::to_string(child.length);
    text += '\n';
    parent.length += child.length;
  }
  parent.hash.bytes = codec::blake3_keyed(xet_keys::internal, as_bytes(text));
  return parent;
}

}  // namespace

void MerkleTree::add(size_t level, const ChunkLeaf& node) {
  if (level == levels_.size()) levels_.emplace_back();
  levels_[level].group.push_back(node);
  ++levels_[level].count;
  if (ends_group(levels_[level].group.size(), node.hash)) close(level);
}

void MerkleTree::close(size_t level) {
  const ChunkLeaf parent = parent_of(levels_[level].group);
  levels_[level].group.clear();
  add(level + 1, parent);
}

std::array<std::byte, 32> MerkleTree::root() const {
  if (levels_.empty()) return {};
  MerkleTree whole = *this;
  for (size_t level = 0;; ++level) {
    // What is left of a level goes under a parent, also when it is one node, unless it is the root.
    if (whole.levels_[level].count == 1) return whole.levels_[level].group[0].hash.bytes;
    if (!whole.levels_[level].group.empty()) whole.close(level);
  }
}

FileHash MerkleTree::file_hash() const {
  if (levels_.empty()) return {};
  return {codec::blake3_keyed(xet_keys::zero, root())};
}

}  // namespace holdfast::content
