#pragma once

#include <span>
#include <vector>

#include "model/decoder_model.h"

// For tests of adapters.
namespace holdfast::model {

// [ids, vocabulary] of one text, read with an adapter; null: with the base alone.
inline std::vector<float> adapted_logits(const DecoderModel& model, tensor::Threads& threads,
                                         std::span<const int64_t> ids, const Adapter* adapter) {
  TokenBatch batch;
  for (const int64_t id : ids) batch.add(id, 0, static_cast<int64_t>(batch.tokens()));
  batch.end_sequence();
  const auto states =
      model.decoder().forward(batch, {}, threads, Decoder::Keep::last, std::span(&adapter, 1)).value();
  std::vector<float> out(ids.size() * model.head_width());
  model.run_head(states.last.data(), ids.size(), out.data(), threads);
  return out;
}

}  // namespace holdfast::model
