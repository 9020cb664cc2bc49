#include "token/piece.h"

#include <algorithm>
#include <cstdlib>

namespace holdfast::token {
namespace {

// A delimiter is glued to what came before; of a run of delimiters only the first.
std::vector<Match> merge_with_previous(const std::vector<Match>& matches) {
  std::vector<Match> out;
  bool after_delimiter = false;
  for (const Match& match : matches) {
    if (match.delimiter && !after_delimiter && !out.empty())
      out.back().end = match.end;
    else
      out.push_back({match.begin, match.end, false});
    after_delimiter = match.delimiter;
  }
  return out;
}

std::vector<Match> merge_with_next(const std::vector<Match>& matches) {
  std::vector<Match> out;
  bool after_delimiter = false;
  for (auto match = matches.rbegin(); match != matches.rend(); ++match) {
    if (match->delimiter && !after_delimiter && !out.empty())
      out.back().begin = match->begin;
    else
      out.push_back({match->begin, match->end, false});
    after_delimiter = match->delimiter;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<Match> join_runs(const std::vector<Match>& matches) {
  std::vector<Match> out;
  bool after_delimiter = false;
  for (const Match& match : matches) {
    if (match.delimiter == after_delimiter && !out.empty())
      out.back().end = match.end;
    else
      out.push_back({match.begin, match.end, false});
    after_delimiter = match.delimiter;
  }
  return out;
}

}  // namespace

std::vector<Match> apply_behavior(const std::vector<Match>& matches, SplitBehavior behavior) {
  switch (behavior) {
    case SplitBehavior::removed: {
      std::vector<Match> out;
      std::copy_if(matches.begin(), matches.end(), std::back_inserter(out),
                   [](const Match& match) { return !match.delimiter; });
      return out;
    }
    case SplitBehavior::isolated:
      return matches;
    case SplitBehavior::merged_with_previous:
      return merge_with_previous(matches);
    case SplitBehavior::merged_with_next:
      return merge_with_next(matches);
    case SplitBehavior::contiguous:
      return join_runs(matches);
  }
  std::abort();
}

}  // namespace holdfast::token
