#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"
#include "model/sentence.h"
#include "model/text_model.h"
#include "token/tokenizer.h"

namespace holdfast::model {

// Ids of one text, special tokens included, and whether the text was longer than the model takes.
struct TokenizedText {
  std::vector<uint32_t> ids, types;
  bool truncated = false;
  size_t skip = 0;  // The first tokens that take no part in pooling: those of a prompt.
};

// What a caller may ask for beyond what the folder says.
struct VectorOptions {
  std::optional<bool> normalize;
  std::optional<size_t> dimensions;  // Matryoshka: the first ones, and normalized again where vectors are.
};

// A model folder that turns texts into vectors: weights, tokenizer, and the sentence-transformers files where
// there are some. Immutable; safe from any thread, each with its own Threads.
class Embedder {
 public:
  // `graphs` and `keep`: as EncoderModel has them.
  static Result<Embedder> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute = {},
                               const Backend* graphs = nullptr, Random* keep = nullptr);

  const TextModel& text_model() const { return model_; }
  size_t dimensions() const { return dimensions_; }             // Of a vector.
  size_t feature_width() const { return model_.plan().width; }  // Of a token's hidden state.
  size_t tokens_max() const { return tokens_max_; }             // Of one text, special tokens included.
  size_t positions() const { return model_.plan().positions; }  // The model's own bound.
  size_t vocabulary() const { return model_.plan().vocabulary; }
  // Whether the folder says how to make one vector of a text.
  bool is_sentence_model() const { return sentence_.is_sentence_model; }
  bool normalizes() const { return sentence_.normalize; }
  std::string_view pooling() const;  // As text-embeddings-inference names it: "mean", "cls", ...

  // What texts begin with; the folder's default where no name is given. bad_request for an unknown name.
  Result<std::string> prompt(std::optional<std::string_view> name) const;
  // Longer texts are cut at tokens_max from the given side, as sentence-transformers does; `truncated` tells.
  Result<TokenizedText> tokenize(std::string_view text, token::Side cut_from = token::Side::right,
                                 std::string_view prompt = {}) const;
  // Ids of this model's own vocabulary; special tokens around them are optional.
  Result<TokenizedText> wrap(std::span<const uint32_t> ids) const;

  // One vector a text, pooled and normalized as the folder says (mean where it says nothing).
  Result<std::vector<std::vector<float>>> embed(std::span<const TokenizedText> texts,
                                                tensor::Threads& threads,
                                                const VectorOptions& options = {}) const;
  // The hidden states of each text, [tokens, E].
  Result<std::vector<std::vector<float>>> features(std::span<const TokenizedText> texts,
                                                   tensor::Threads& threads) const;

 private:
  Embedder(TextModel model, SentenceConfig sentence, const tensor::Kernels& kernels);
  TokenBatch batch_of(std::span<const TokenizedText> texts) const;

  void take_step(const VectorStep& step, std::vector<float>& vector) const;

  TextModel model_;
  SentenceConfig sentence_;
  const tensor::Kernels* kernels_;  // One of the static tables.
  size_t tokens_max_ = 0, dimensions_ = 0;
};

}  // namespace holdfast::model
