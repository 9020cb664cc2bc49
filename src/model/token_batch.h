#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::model {

// Sequences one after the other without padding. Columns of equal length, one row a token.
struct TokenBatch {
  std::vector<int64_t> ids, types, positions;
  std::vector<size_t> starts = {0};  // Row where each sequence begins, and the end: one more than sequences.

  size_t tokens() const { return ids.size(); }
  size_t sequences() const { return starts.size() - 1; }
  size_t length(size_t sequence) const { return starts[sequence + 1] - starts[sequence]; }
  void add(int64_t id, int64_t type, int64_t position) {
    ids.push_back(id);
    types.push_back(type);
    positions.push_back(position);
  }
  void end_sequence() { starts.push_back(ids.size()); }
};

}  // namespace holdfast::model
