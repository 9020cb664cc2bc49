#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "token/fast/bpe_merger.h"
#include "token/fast/word_cache.h"
#include "token/normalized_text.h"

namespace holdfast::token {

// Rows under construction: ids, and if wanted where they came from.
struct Rows {
  std::vector<uint32_t> ids;
  std::vector<Span> offsets;  // Code points of the input.
  std::vector<int32_t> words;
  // Rows whose text is not that of the vocabulary's token.
  std::vector<std::pair<size_t, std::string>> texts;
};

// What encoding needs beside the tables: of one thread at a time.
struct Workspace {
  WordCache cache;
  std::vector<MergeSymbol> symbols, window, tokens;
  std::vector<uint32_t> ids, ends;  // Of one word.
  std::vector<uint32_t> symbol_ends;
  struct Node {
    double score = 0;
    uint32_t id = 0, from = 0;
  };
  std::vector<Node> nodes;
  std::vector<uint8_t> short_ends;
  std::string text, piece;  // Normalized.
  std::unique_ptr<BpeMerger> merger;
};

// Workspaces are kept for the next call. Any thread.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> take();
  void give_back(std::unique_ptr<Workspace> workspace);

 private:
  static constexpr size_t kept_max = 64;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace holdfast::token
