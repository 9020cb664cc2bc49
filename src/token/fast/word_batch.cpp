#include "token/fast/word_batch.h"

namespace holdfast::token {

void WordBatch::make(size_t unknown_count) {
  const FoundWord* words[size_max];
  for (size_t i = 0; i < unknown_count; ++i) words[i] = &words_[unknown_[i]];
  std::fill_n(made_, unknown_count, WordTokens());
  model_.tokenize_all({words, unknown_count}, {made_, unknown_count}, workspace_);
}

bool WordBatch::tokens_of(const FoundWord& word, const PackedTokens& found, WordTokens& out) {
  if (found.count() == PackedTokens::in_ring) {
    if (cache_.read(word, found, out)) return true;
  } else {
    const WordTokens& made = made_[made_next_++];
    if (made.ids != nullptr) {
      out = made;
      return true;
    }
  }
  if (!model_.tokenize(word.text(), word.place(), workspace_)) return false;
  out = {.ids = workspace_.ids.data(),
         .ends = workspace_.ends.data(),
         .short_ends = nullptr,
         .count = static_cast<uint32_t>(workspace_.ids.size())};
  cache_.put(word, out);
  return true;
}

}  // namespace holdfast::token
