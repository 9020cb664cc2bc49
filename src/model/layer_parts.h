#pragma once

#include <span>

#include "model/token_batch.h"
#include "model/weight_reader.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"

// What TokenLayers are made of.
namespace holdfast::model {

// out = activation(in W^T + b) + addend, which may be out.
void multiply(const tensor::Linear& layer, const float* in, float* out, size_t rows, tensor::Threads& threads,
              const float* addend = nullptr, tensor::Activation activation = tensor::Activation::none);
// The same, as new rows.
tensor::Floats apply(const tensor::Linear& layer, const float* in, size_t rows, tensor::Threads& threads,
                     tensor::Activation activation = tensor::Activation::none, const float* addend = nullptr);

// A layer of numbers that a family put together itself. Immutable once made; empty bias: none.
Result<LinearLayer> keep_linear(const WeightReader& reader, const std::string& name,
                                const std::vector<float>& weight, const std::vector<float>& bias,
                                size_t outputs, size_t inputs);

// A norm over rows, or where a family has none of it a factor and a shift of each column.
class RowScale {
 public:
  enum class Kind : uint8_t { layer, root_mean_square, none };
  static Result<RowScale> load(const WeightReader& reader, const std::string& name, size_t width, Kind kind,
                               float epsilon, Bias bias = Bias::with);
  void run(float* x, size_t rows) const;

 private:
  Kind kind_ = Kind::layer;
  Norm norm_;
  float epsilon_ = 0;
  const tensor::Kernels* kernels_ = nullptr;
};

// What follows attention in a layer as BERT's is: its output and a feed-forward, a norm after either sum.
struct LayerEnd {
  LinearLayer attention_out, inner, out;
  RowScale attention_norm, norm;
  tensor::Activation activation = tensor::Activation::gelu;

  // Under BERT's names behind `at`.
  static Result<LayerEnd> load(const WeightReader& reader, const std::string& at, size_t width, size_t inner,
                               tensor::Activation activation, float epsilon);
  // The same but for `inner` and `out`.
  static Result<LayerEnd> load_norms(const WeightReader& reader, const std::string& at, size_t width,
                                     tensor::Activation activation, float epsilon);
  // x: what the layer read, [rows, E], which becomes what it leaves.
  void run(const float* context, float* x, size_t rows, tensor::Threads& threads) const;
};

// Whether a token of the sequences [first, last) is padding that sees and is not seen.
bool hides_tokens(const TokenBatch& batch, size_t first, size_t last);

// Attention within each of the sequences [first, last): rows are theirs, one after the other.
struct SelfAttention {
  const float *query = nullptr, *key = nullptr, *value = nullptr;
  size_t query_stride = 0, key_stride = 0, value_stride = 0;
  float* out = nullptr;
  size_t out_stride = 0, heads = 0, head_width = 0;
  float scale = 0;                     // 0: 1 / sqrt(head_width)
  const float* by_distance = nullptr;  // As tensor::AttentionBias has it.
  size_t reach = 0;
  std::function<void(const tensor::AttentionBias::Block&)> add = {};
};
void attend_within(const TokenBatch& batch, size_t first, size_t last, const SelfAttention& attention,
                   tensor::Compute compute, tensor::Threads& threads);

// Queries, keys and values made by one layer, and attention of a sequence's rows among each other. Immutable.
class JoinedAttention {
 public:
  struct Sizes {
    size_t heads = 0, head_width = 0, inputs = 0;
  };
  // `names`: of queries, keys and values, and of what else is made of the same rows and as wide as these.
  static Result<JoinedAttention> load(const WeightReader& reader, const std::vector<std::string>& names,
                                      const Sizes& sizes, Bias bias = Bias::with);

  size_t width() const { return sizes_.heads * sizes_.head_width; }  // Of queries.
  size_t stride() const { return joined_->width(); }                 // Of what `join` makes.
  // x: [rows, inputs]. Queries, keys, values and the rest beside each other, [rows, stride].
  tensor::Floats join(const float* x, size_t rows, tensor::Threads& threads) const {
    return apply(*joined_, x, rows, threads);
  }
  // What attend_within is to do with it; out as below.
  SelfAttention job(const tensor::Floats& joined, float* out, size_t out_stride) const;
  // out: `width` columns of rows that are out_stride apart.
  void attend(const TokenBatch& batch, size_t first, size_t last, const tensor::Floats& joined, float* out,
              size_t out_stride, tensor::Threads& threads) const;

 private:
  Sizes sizes_;
  tensor::Compute compute_;
  LinearLayer joined_;
};

}  // namespace holdfast::model
