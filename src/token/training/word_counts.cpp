#include "token/training/word_counts.h"

#include <boost/json/object.hpp>

#include "base/utf8.h"
#include "codec/json.h"

namespace holdfast::token {

Result<WordCounter> WordCounter::open(const boost::json::object& document) {
  WordCounter out;
  TRY(const boost::json::object* normalizer, codec::json_object_if(document, "normalizer"));
  if (normalizer != nullptr) {
    TRY(out.normalizer_, load_normalizer(*normalizer));
  }
  TRY(const boost::json::object* pre_tokenizer, codec::json_object_if(document, "pre_tokenizer"));
  if (pre_tokenizer != nullptr) {
    TRY(out.pre_tokenizer_, load_pre_tokenizer(*pre_tokenizer));
  }
  return out;
}

Status WordCounter::add(std::string_view text) {
  if (!is_utf8(text)) return fail(Reason::tokenization_failed, "the text to train on is not UTF-8");
  NormalizedText normalized(text);
  if (normalizer_) TRY_DONE(normalizer_->normalize(normalized));
  Pieces pieces;
  if (!normalized.empty()) pieces.push_back({std::move(normalized), std::nullopt});
  if (pre_tokenizer_) TRY_DONE(pre_tokenizer_->split(pieces));
  for (const Piece& piece : pieces) {
    const std::string word(piece.text.text());
    const auto [row, is_new] = rows_.emplace(word, words_.size());
    if (is_new) {
      if (words_.size() == words_max)
        return fail(Reason::input_too_long, "the corpus has too many different words");
      words_.push_back({word, 0});
    }
    ++words_[row->second].count;
  }
  return Done{};
}

std::vector<WordCount> WordCounter::take() && { return std::move(words_); }

}  // namespace holdfast::token
