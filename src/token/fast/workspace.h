#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "token/fast/ascii_kinds.h"
#include "token/fast/backtrack_bpe.h"
#include "token/fast/bpe_merger.h"
#include "token/fast/large_pages.h"
#include "token/fast/word_cache.h"
#include "token/normalized_text.h"

namespace holdfast::token {

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
  LargeVector<Node> nodes, path;
  // Of BacktrackBpe.
  BacktrackBpe::Room backtracking;
  std::vector<BacktrackBpe::Job> jobs;
  std::vector<uint32_t> job_words;
  std::vector<uint32_t> job_ids, job_ends;
  // Words on their way through a normalizer to BacktrackBpe, many at once.
  struct MappedPiece {
    uint32_t word = 0, begin = 0, bytes = 0;
    uint32_t codes_begin = 0, codes = 0;  // 0: of ASCII.
    bool drops_codes = false;
  };
  struct Mapped {
    std::string text;
    std::vector<uint32_t> code_starts;
    std::vector<MappedPiece> pieces;
    std::vector<FoundWord> found;
    std::vector<const FoundWord*> asked;
    std::vector<WordTokens> made;
  };
  Mapped mapped;
  // Of WordBatch; not made anew for each text.
  struct Batch {
    static constexpr size_t words_max = 512;
    std::array<FoundWord, words_max> words;
    std::array<PackedTokens, words_max> found;
    std::array<uint16_t, words_max + 1> unknown;  // Of the words.
    std::array<WordTokens, words_max> made;       // Of the unknown ones.
  };
  Batch batch;
  std::string text, piece;  // Normalized.
  // Of each byte of `piece` and its end: the code point of the word it begins, or inside_code.
  static constexpr uint32_t inside_code = UINT32_MAX;
  std::vector<uint32_t> code_starts;
  bool drops_codes = false;           // Some code point of the word became nothing.
  std::vector<uint64_t> marks, cuts;  // Of bytes of a text, a bit each.
  std::vector<AsciiKinds::Block> kinds;
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
