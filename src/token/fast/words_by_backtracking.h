#pragma once

#include <span>

#include "token/fast/backtrack_bpe.h"
#include "token/fast/workspace.h"

namespace holdfast::token {

// What `model` makes of words of up to BacktrackBpe::job_bytes_max, many at once: as
// WordModel::tokenize_all(). Words that `accept(word)` refuses are left out.
template <class Accept>
void tokenize_by_backtracking(const BacktrackBpe& model, std::span<const FoundWord* const> words,
                              std::span<WordTokens> out, Workspace& workspace, Accept accept) {
  size_t bytes = 0;
  for (const FoundWord* const word : words)
    if (word->bytes <= BacktrackBpe::job_bytes_max) bytes += word->bytes;
  if (workspace.job_ids.size() < bytes) {
    workspace.job_ids.resize(bytes);
    workspace.job_ends.resize(bytes);
  }
  workspace.jobs.clear();
  workspace.job_words.clear();
  size_t room = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const FoundWord& word = *words[i];
    if (word.bytes > BacktrackBpe::job_bytes_max || !accept(word)) continue;
    workspace.jobs.push_back(
        {word.text(), workspace.job_ids.data() + room, workspace.job_ends.data() + room});
    workspace.job_words.push_back(static_cast<uint32_t>(i));
    room += word.bytes;
  }
  model.tokenize_all(workspace.jobs, workspace.backtracking.fits);
  for (size_t i = 0; i < workspace.jobs.size(); ++i) {
    const BacktrackBpe::Job& job = workspace.jobs[i];
    if (job.count > 0)
      out[workspace.job_words[i]] = {
          .ids = job.ids, .ends = job.ends, .short_ends = nullptr, .count = static_cast<uint32_t>(job.count)};
  }
}

}  // namespace holdfast::token
