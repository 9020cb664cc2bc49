#pragma once

#include "model/encoder_head.h"
#include "model/layer_parts.h"

namespace holdfast::model {

// Splinter's head: where a text answers is what its tokens have in common with the token that stands for the
// question, each seen in its own way. Immutable.
class QuestionSpans {
 public:
  static Result<QuestionSpans> load(const WeightReader& reader, int64_t question_id, size_t width);

  // start_logits and end_logits of hidden states [tokens, E]. A text without a question asks by its first
  // token.
  std::vector<NamedOutput> run(const TokenBatch& batch, const tensor::Floats& hidden,
                               tensor::Threads& threads) const;

 private:
  struct End {
    LinearLayer question, token, chooser;
    RowScale question_norm, token_norm;
  };
  static Result<End> load_end(const WeightReader& reader, const std::string& name, size_t width);
  tensor::Floats score(const End& end, const TokenBatch& batch, const tensor::Floats& hidden,
                       const tensor::Floats& questions, tensor::Threads& threads) const;

  int64_t question_id_ = 0;
  size_t width_ = 0;
  End start_, end_;
};

}  // namespace holdfast::model
