#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/disk.h"
#include "model/token_batch.h"
#include "model/weight_reader.h"
#include "tensor/activation.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// How hidden states become one vector a text.
enum class Pooling : uint8_t { mean, first_token, max, mean_over_root, weighted_mean, last_token };

// A dense layer after the pooling, or a normalization with scale and shift.
struct DenseModule {
  LinearLayer linear;  // Null: `norm`.
  std::optional<Norm> norm;
  tensor::Activation activation = tensor::Activation::tanh;
};

// What happens to a pooled vector, in order.
struct VectorStep {
  std::shared_ptr<const DenseModule> dense;  // Null: to length 1.
};

// What the sentence-transformers files of a folder say: modules.json and what it points to.
struct SentenceConfig {
  bool is_sentence_model = false;                   // There is a modules.json.
  std::vector<Pooling> poolings = {Pooling::mean};  // Several: their vectors one after the other.
  std::vector<VectorStep> steps;
  bool normalize = false;            // The last step is a normalization.
  bool pools_prompt = true;          // include_prompt: whether a prompt's tokens take part.
  std::optional<size_t> tokens_max;  // max_seq_length, special tokens included.
  bool lowercase = false;            // do_lower_case of the first module: before the tokenizer's own steps.
  std::map<std::string, std::string, std::less<>> prompts;  // By name: what a text begins with.
  std::string default_prompt;                               // A name; empty: none.
};

// Whether a folder is one that sentence-transformers wrote: it has a modules.json.
bool is_sentence_folder(io::Disk& disk, const io::Path& folder);
// model_unsupported for modules or poolings we do not have.
Result<SentenceConfig> read_sentence_config(io::Disk& disk, const io::Path& folder,
                                            tensor::Compute compute = {});

// One vector of `width` a sequence from hidden states [tokens, width]: [sequences, width]. The first skip[i]
// tokens of sequence i take no part (but first_token is the first); empty: all do.
std::vector<std::vector<float>> pool_sentences(const tensor::Kernels& kernels, Pooling pooling,
                                               const TokenBatch& batch, const tensor::Floats& hidden,
                                               size_t width, std::span<const size_t> skip = {});
// To length 1; a vector of (nearly) no length is divided by 1e-12.
void normalize_vector(std::vector<float>& vector);

}  // namespace holdfast::model
