#pragma once

#include "model/encoder.h"

namespace holdfast::model {

// A result under the name that transformers gives it. Rows of a per-token output are the batch's tokens, of
// any other its sequences.
struct NamedOutput {
  std::string name;  // "last_hidden_state", "logits", ...
  enum class Rows : uint8_t { tokens, sequences, choices } rows = Rows::tokens;
  size_t columns = 1;  // 1 with `flat`: the shape ends with the rows.
  bool flat = false;
  tensor::Floats data;  // [rows, columns]
};

class QuestionSpans;

// One output's steps, loaded. Immutable.
class EncoderHead {
 public:
  static Result<EncoderHead> load(const HeadPlan& plan, const WeightReader& reader, const Encoder& encoder);

  const HeadPlan& plan() const { return plan_; }
  // From hidden states [tokens, E] and, where the plan sums up, sums [sequences, E].
  std::vector<NamedOutput> run(const Encoder& encoder, const TokenBatch& batch, const tensor::Floats& hidden,
                               const tensor::Floats& sums, tensor::Threads& threads) const;

 private:
  struct Step {
    LinearLayer linear;  // Null: none.
    Activation activation = Activation::none;
    std::optional<Norm> norm;
  };

  tensor::Floats pick(const Encoder& encoder, const TokenBatch& batch, const tensor::Floats& hidden,
                      const tensor::Floats& sums) const;

  HeadPlan plan_;
  std::vector<Step> steps_;
  std::shared_ptr<const QuestionSpans> spans_;  // Instead of steps; null: none. Copies share it.
};

}  // namespace holdfast::model
