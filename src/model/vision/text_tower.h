#pragma once

#include <variant>

#include "model/decoder.h"
#include "model/encoder.h"
#include "model/padded_batch.h"

namespace holdfast::model {

// The tower of words of a model that compares images with texts, and which row of a text speaks for it.
struct TextTowerPlan {
  enum class Pooled : uint8_t {
    first_end,   // The first end_id of the row; the first token where it has none.
    highest_id,  // The first of the highest ids, which is the end in CLIP's vocabulary.
    last         // The row's last place, be it padding.
  };
  std::variant<EncoderPlan, DecoderPlan> block;  // A decoder: no token sees what follows it.
  size_t width = 0, positions = 0;
  Pooled pooled = Pooled::first_end;
  int64_t end_id = 0;
};

// Such a tower, loaded. Immutable but for scratch memory; safe from any thread, each with its own Threads.
// Borrows the weights.
class TextTower {
 public:
  static Result<TextTower> load(TextTowerPlan plan, const WeightReader& reader);

  struct Rows {
    NamedTensor hidden;     // last_hidden_state: [B, T, E], zeros where padding is.
    tensor::Floats pooled;  // [B, E]
    size_t texts = 0;
  };
  const TextTowerPlan& plan() const { return plan_; }
  // `input_ids` [B, T], and if given `attention_mask` and `position_ids`.
  Result<Rows> forward(const tensor::Weights& inputs, tensor::Threads& threads) const;

 private:
  TextTower() = default;
  Result<std::vector<size_t>> pooled_places(const tensor::Weights& inputs) const;

  Result<tensor::Floats> hidden(const TokenBatch& batch, tensor::Threads& threads) const;

  TextTowerPlan plan_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Decoder> decoder_;  // One of the two is there.
};

}  // namespace holdfast::model
