#include "token/fast/word_batch.h"

namespace holdfast::token {

void WordBatch::learn(std::span<const FoundWord*> words) {
  uint32_t places[size_max];
  size_t count = 0;
  for (const FoundWord* const word : words) {
    if (word->bytes > WordCache::large_bytes) continue;
    const bool small = word->bytes <= WordCache::small_bytes;
    places[count] = small ? WordCache::large_key_of(word->at, word->bytes).place : word->key.place;
    if (small) cache_.prefetch_large(places[count]);
    words[count++] = word;
  }
  size_t left = 0;
  for (size_t i = 0; i < count; ++i)
    if (!cache_.has_large(places[i], words[i]->at, words[i]->bytes)) words[left++] = words[i];
  model_.learn(words.first(left), workspace_);
}

bool tokens_of(const FoundWord& word, const WordModel& model, Workspace& workspace, WordTokens& out) {
  const bool small = word.bytes <= WordCache::small_bytes;
  // A small word of many tokens is a large entry.
  const uint32_t place = small ? WordCache::large_key_of(word.at, word.bytes).place : word.key.place;
  if (word.bytes <= WordCache::large_bytes && workspace.cache.find_large(place, word.at, word.bytes, out))
    return true;
  if (!model.tokenize({reinterpret_cast<const char*>(word.at), word.bytes}, workspace)) return false;
  const size_t count = workspace.ids.size();
  out = {workspace.ids.data(), nullptr, static_cast<uint32_t>(count)};
  if (word.bytes > WordCache::large_bytes) return true;
  workspace.cache.put(word, out.ids, workspace.ends.data(), count);
  return true;
}

}  // namespace holdfast::token
