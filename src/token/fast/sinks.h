#pragma once

#include <algorithm>
#include <cstring>

#include "token/fast/word_model.h"

namespace holdfast::token {

// What the word loops of the encoders hand words to. Both look the word up in the cache and ask the model
// where it is new.

// The tokens of `word`; `readable` bytes may be read at it. False where the word is for the plain path.
inline bool tokens_of(const uint8_t* word, size_t bytes, size_t readable, const WordModel& model,
                      Workspace& workspace, WordTokens& out) {
  WordCache::Key key;
  if (bytes <= WordCache::small_bytes) [[likely]] {
    key = WordCache::key_of(word, bytes, readable);
    if (workspace.cache.find_small(key, bytes, out)) [[likely]]
      return true;
  } else if (bytes <= WordCache::large_bytes && workspace.cache.find_large(word, bytes, out)) {
    return true;
  }
  if (!model.tokenize({reinterpret_cast<const char*>(word), bytes}, workspace)) return false;
  const size_t count = workspace.ids.size();
  workspace.ids.resize(count + WordCache::small_tokens);  // They may be read.
  out.ids = workspace.ids.data();
  out.count = static_cast<uint32_t>(count);
  out.ends = nullptr;
  if (bytes > WordCache::large_bytes) return true;
  workspace.short_ends.resize(count + WordCache::small_tokens);
  for (size_t i = 0; i < count; ++i) workspace.short_ends[i] = static_cast<uint8_t>(workspace.ends[i]);
  out.ends = workspace.short_ends.data();
  if (bytes <= WordCache::small_bytes)
    workspace.cache.put_small(key, bytes, out);
  else
    workspace.cache.put_large(word, bytes, out);
  return true;
}

// Ids only, appended to a vector by way of a buffer.
class IdSink {
 public:
  IdSink(const WordModel& model, Workspace& workspace, std::vector<uint32_t>& out)
      : model_(model), workspace_(workspace), out_(out) {}

  bool word(const uint8_t* word, size_t bytes, size_t readable) {
    WordTokens tokens;
    if (!tokens_of(word, bytes, readable, model_, workspace_, tokens)) [[unlikely]]
      return false;
    if (tokens.count <= WordCache::small_tokens) [[likely]] {
      if (used_ + WordCache::small_tokens > buffer_size) [[unlikely]]
        flush();
      std::memcpy(buffer_ + used_, tokens.ids, WordCache::small_tokens * sizeof(uint32_t));
      used_ += tokens.count;
      return true;
    }
    flush();
    out_.insert(out_.end(), tokens.ids, tokens.ids + tokens.count);
    return true;
  }

  void flush() {
    out_.insert(out_.end(), buffer_, buffer_ + used_);
    used_ = 0;
  }

 private:
  static constexpr size_t buffer_size = 4096;
  const WordModel& model_;
  Workspace& workspace_;
  std::vector<uint32_t>& out_;
  size_t used_ = 0;
  uint32_t buffer_[buffer_size];
};

}  // namespace holdfast::token
