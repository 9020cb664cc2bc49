#pragma once

#include <span>

#include "token/fast/backtrack_bpe.h"
#include "token/fast/workspace.h"

namespace holdfast::token {

// Puts into the cache what `model` makes of words of up to WordCache::large_bytes, many at once.
// `accept(word, job)` is asked of each with its tokens: it may change the ends, and false leaves the word
// out.
template <class Accept>
void learn_words(const BacktrackBpe& model, std::span<const FoundWord* const> words, Workspace& workspace,
                 Accept accept) {
  static_assert(WordCache::large_bytes <= BacktrackBpe::job_bytes_max);
  size_t bytes = 0;
  for (const FoundWord* const word : words) bytes += word->bytes;
  if (workspace.job_ids.size() < bytes) {
    workspace.job_ids.resize(bytes);
    workspace.job_ends.resize(bytes);
  }
  workspace.jobs.clear();
  size_t room = 0;
  for (const FoundWord* const word : words) {
    workspace.jobs.push_back(
        {word->text(), workspace.job_ids.data() + room, workspace.job_ends.data() + room});
    room += word->bytes;
  }
  model.tokenize_all(workspace.jobs);
  for (size_t i = 0; i < words.size(); ++i) {
    const BacktrackBpe::Job& job = workspace.jobs[i];
    if (job.count > 0 && accept(*words[i], job)) workspace.cache.put(*words[i], job.ids, job.ends, job.count);
  }
}

}  // namespace holdfast::token
