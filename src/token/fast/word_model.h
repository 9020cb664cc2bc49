#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "token/fast/workspace.h"

namespace holdfast::token {

// Tokens of one word that is in no cache: into workspace.ids and workspace.ends (where each token ends, in
// bytes of the word, or code points where the model says so). Immutable; safe from any thread, each with its
// workspace.
class WordModel {
 public:
  virtual ~WordModel() = default;
  // False where the word is for the plain path, which says why.
  virtual bool tokenize(std::string_view word, WordPlace place, Workspace& workspace) const = 0;
  // Tokens of words of up to BacktrackBpe::job_bytes_max, where that is faster for many than one by one: in
  // `out`, one for each word, and in memory of the workspace that stays until the next call. Others are left
  // without ids.
  virtual void tokenize_all(std::span<const FoundWord* const> words, std::span<WordTokens> out,
                            Workspace& workspace) const {
    static_cast<void>(words);
    static_cast<void>(out);
    static_cast<void>(workspace);
  }
};

}  // namespace holdfast::token
