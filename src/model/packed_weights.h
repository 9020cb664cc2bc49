#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/block_source.h"
#include "model/decoder_plan.h"
#include "tensor/weights.h"

namespace holdfast::model {

// Layers' matrices of a decoder as whole numbers of four or eight bits with a scale for each group of inputs,
// rows of activations as they are: docs/formats/packed-weights.md.
enum class PackedBits : uint8_t { four = 4, eight = 8 };

inline constexpr size_t packed_group = 32;

struct PackedWeights {
  Bytes file;                         // model.safetensors
  std::vector<std::string> matrices;  // Modules whose weight became whole numbers.
  std::vector<std::string> kept;      // Modules with a matrix that did not: heads, routers.
  uint64_t bytes_before = 0;          // Of all tensors.
};

// By the rules of ggml's Q4_0 and Q8_0. Everything but the matrices of layers stays as it is.
// model_unsupported where nothing can be made smaller, bad_request for numbers that are not finite.
Result<PackedWeights> make_packed_weights(const tensor::Weights& weights, const DecoderPlan& plan,
                                          PackedBits bits);

// Such matrices of a folder, ours or another program's, as ggml's blocks, so that they are computed with as
// those of a GGUF file are. A group that is no multiple of 32, or a scale that binary16 cannot hold, is
// widened. Owns the blocks. Immutable; safe from any thread.
class PackedBlocks final : public BlockSource {
 public:
  // Null where the weights have none. Names are known with and without the prefixes. bad_request for shapes
  // that do not fit each other, model_unsupported for zero points and reordered inputs.
  static Result<std::unique_ptr<PackedBlocks>> read(const tensor::Weights& weights,
                                                    const std::vector<std::string>& prefixes);

  const BlockView* find(std::string_view name) const override;

 private:
  PackedBlocks() = default;
  Status add(const tensor::Weights& weights, const std::string& module,
             const std::vector<std::string>& prefixes);

  std::deque<Bytes> owned_;
  std::unordered_map<std::string, BlockView> tensors_;
};

}  // namespace holdfast::model
