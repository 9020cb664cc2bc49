#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "io/disk.h"
#include "model/token_batch.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// How hidden states become one vector a text.
enum class Pooling : uint8_t { mean, first_token, max, mean_over_root };

// What the sentence-transformers files of a folder say: modules.json and what it points to.
struct SentenceConfig {
  bool is_sentence_model = false;  // There is a modules.json.
  Pooling pooling = Pooling::mean;
  bool normalize = false;
  std::optional<size_t> tokens_max;  // max_seq_length, special tokens included.
  bool lowercase = false;            // do_lower_case of the first module: before the tokenizer's own steps.
};

// model_unsupported for modules or poolings we do not have.
Result<SentenceConfig> read_sentence_config(io::Disk& disk, const io::Path& folder);

// One vector of `width` a sequence from hidden states [tokens, width]: [sequences, width].
std::vector<std::vector<float>> pool_sentences(const tensor::Kernels& kernels, Pooling pooling,
                                               const TokenBatch& batch, const tensor::Floats& hidden,
                                               size_t width);
// To length 1; a vector of (nearly) no length is divided by 1e-12.
void normalize_vector(std::vector<float>& vector);

}  // namespace holdfast::model
