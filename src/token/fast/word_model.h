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
  virtual bool tokenize(std::string_view word, Workspace& workspace) const = 0;
  // Puts the tokens of words of up to WordCache::large_bytes into the cache, where that is faster for many
  // than one by one.
  virtual void learn(std::span<const FoundWord* const> words, Workspace& workspace) const {
    static_cast<void>(words);
    static_cast<void>(workspace);
  }
};

}  // namespace holdfast::token
