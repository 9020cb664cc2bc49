#pragma once

#include <span>

#include "token/fast/backtrack_bpe.h"
#include "token/fast/merge_lanes.h"

namespace holdfast::token {

// Tokens of words that are not short and not long, many words at once by FreeMerges, or where these are not
// for the model or the processor several words side by side: each is merged from its begin
// on, as much of it as fits into a lane, and goes on before the last tokens of the part before, as LongWords
// do. The longest tokens of such words are often not what merging makes, and to find that out takes two to
// three times as long. Of letters beyond ASCII they mostly are, and such words are left. Immutable; safe from
// any thread.
class MiddlingWords {
 public:
  explicit MiddlingWords(const BacktrackBpe& model, Instructions instructions = best_instructions())
      : model_(model), instructions_(instructions) {}

  // Makes the tokens of the jobs that are not done; those it gives up stay without.
  void tokenize(std::span<BpeJob> jobs, FitCache& fits) const;

 private:
  struct Part;

  bool take(Part& part, const MergeLanes::Lane& lane, FitCache& fits) const;

  const BacktrackBpe& model_;
  Instructions instructions_;
};

}  // namespace holdfast::token
