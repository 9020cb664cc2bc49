#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::model {

// Sequences one after the other without padding. One entry a token in each list.
struct TokenBatch {
  std::vector<int64_t> ids, types;
  std::vector<int64_t> positions;  // As the table of positions and rotary positions count.
  std::vector<int64_t> columns;    // Place in the padded row, rising; what distances are measured by.
  std::vector<size_t> lengths;     // Positions of the sequence the token is in, for frequencies by length.
  std::vector<float> embedded;     // Rows instead of words, where the plan has no table of these.
  std::vector<float> places;       // Two a token: how far down and across it stands, -1 to 1; or empty.
  std::vector<int64_t> boxes;      // Four a token: left, top, right and bottom; empty: all 0.
  // What each layer but the last adds to the rows of every sequence after it (YOLOS); null: nothing.
  const std::vector<std::vector<float>>* between = nullptr;
  std::vector<uint8_t> padding;      // Empty, or 1 for tokens that no token sees though they see others.
  std::vector<size_t> starts = {0};  // Row where each sequence begins, and the end: one more than sequences.

  size_t tokens() const { return ids.size(); }
  size_t sequences() const { return starts.size() - 1; }
  size_t length(size_t sequence) const { return starts[sequence + 1] - starts[sequence]; }
  void add(int64_t id, int64_t type, int64_t position, int64_t column) {
    ids.push_back(id);
    types.push_back(type);
    positions.push_back(position);
    columns.push_back(column);
  }
  void add(int64_t id, int64_t type, int64_t position) { add(id, type, position, position); }
  // 0: one more than its largest position.
  void end_sequence(size_t length = 0) {
    if (length == 0)
      for (size_t i = starts.back(); i < ids.size(); ++i)
        length = std::max(length, static_cast<size_t>(std::max<int64_t>(positions[i], 0)) + 1);
    lengths.resize(ids.size(), length);
    starts.push_back(ids.size());
  }
};

}  // namespace holdfast::model
