#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "token/fast/workspace.h"

namespace holdfast::token {

// BPE of long words in linear time and little memory: short parts are merged by themselves and joined. Two
// neighbouring tokens are what the whole word has there exactly if they are what the two alone give, so only
// the tokens around a seam are merged again, more of them until their outer neighbours fit. Source: size() in
// symbols; merge(begin, end, workspace, out) puts the tokens of these symbols into `out`, units in symbols;
// may_merge(at) is false where no merge reaches across the place before symbol `at`.
template <class Source>
class ChunkMerge {
 public:
  static constexpr size_t chunk = 44;

  // The tokens of all of it are in workspace.tokens.
  static void run(const Source& source, Workspace& workspace) {
    std::vector<MergeSymbol>& done = workspace.tokens;
    done.clear();
    std::vector<MergeSymbol> next;
    for (size_t begin = 0; begin < source.size();) {
      const size_t end = chunk_end(source, begin);
      source.merge(begin, end, workspace, next);
      if (begin == 0 || !source.may_merge(begin)) {
        done.insert(done.end(), next.begin(), next.end());
      } else if (!join(source, begin, workspace, next)) {
        source.merge(0, source.size(), workspace, done);
        return;
      }
      begin = end;
    }
  }

 private:
  static constexpr size_t window_max = 4096;  // Symbols looked at again at a seam, before the whole word is.

  // A place no merge reaches across, if there is one near.
  static size_t chunk_end(const Source& source, size_t begin) {
    const size_t end = std::min(begin + chunk, source.size());
    if (end == source.size()) return end;
    for (size_t at = end; at > begin + chunk / 2; --at)
      if (!source.may_merge(at)) return at;
    return end;
  }

  static bool fits(const Source& source, size_t at, MergeSymbol left, MergeSymbol right,
                   Workspace& workspace) {
    source.merge(at - left.units, at + right.units, workspace, workspace.window);
    return workspace.window.size() == 2 && workspace.window[0].id == left.id &&
           workspace.window[1].id == right.id;
  }

  static bool join(const Source& source, size_t seam, Workspace& workspace, std::vector<MergeSymbol>& next) {
    std::vector<MergeSymbol>& done = workspace.tokens;
    if (fits(source, seam, done.back(), next.front(), workspace)) {
      done.insert(done.end(), next.begin(), next.end());
      return true;
    }
    size_t back = 1, ahead = 1;  // Tokens of each side that are merged again.
    std::vector<MergeSymbol> middle;
    while (true) {
      back = std::min(back, done.size());
      ahead = std::min(ahead, next.size());
      size_t begin = seam, end = seam;
      for (size_t i = 0; i < back; ++i) begin -= done[done.size() - 1 - i].units;
      for (size_t i = 0; i < ahead; ++i) end += next[i].units;
      if (end - begin > window_max) return false;
      source.merge(begin, end, workspace, middle);
      const bool left_fits =
          back == done.size() || fits(source, begin, done[done.size() - 1 - back], middle.front(), workspace);
      const bool right_fits =
          ahead == next.size() || fits(source, end, middle.back(), next[ahead], workspace);
      if (left_fits && right_fits) break;
      if (!left_fits) back *= 2;
      if (!right_fits) ahead *= 2;
    }
    done.resize(done.size() - back);
    done.insert(done.end(), middle.begin(), middle.end());
    done.insert(done.end(), next.begin() + static_cast<std::ptrdiff_t>(ahead), next.end());
    return true;
  }
};

}  // namespace holdfast::token
