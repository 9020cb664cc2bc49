#include "io/memory_tree.h"

#include <algorithm>

namespace holdfast::io {
namespace {

bool heads(Random& random) { return random.below(2) == 0; }

MemoryNode::Names surviving_names(const MemoryNode& folder, CrashMode mode, Random& random) {
  if (mode == CrashMode::lose_all) return folder.durable_names;
  MemoryNode::Names left = folder.durable_names;
  for (const auto& [name, node] : folder.names) {
    const auto durable = left.find(name);
    if ((durable == left.end() || durable->second != node) && heads(random)) left[name] = node;
  }
  for (const auto& [name, node] : folder.durable_names)
    if (!folder.names.contains(name) && heads(random)) left.erase(name);
  return left;
}

Bytes surviving_bytes(const MemoryNode& file, CrashMode mode, Random& random) {
  if (mode == CrashMode::lose_all || file.bytes == file.durable_bytes || heads(random))
    return file.durable_bytes;
  const size_t kept = static_cast<size_t>(random.below(file.bytes.size() + 1));
  Bytes left = file.durable_bytes;
  left.resize(std::max(left.size(), kept));
  std::copy_n(file.bytes.begin(), kept, left.begin());
  return left;
}

}  // namespace

void crash_tree(MemoryNode& folder, CrashMode mode, Random& random) {
  folder.names = folder.durable_names = surviving_names(folder, mode, random);
  for (auto& [name, node] : folder.names) {
    if (node->is_directory)
      crash_tree(*node, mode, random);
    else
      node->bytes = node->durable_bytes = surviving_bytes(*node, mode, random);
  }
}

}  // namespace holdfast::io
