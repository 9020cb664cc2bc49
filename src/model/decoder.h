#pragma once

#include <memory>
#include <optional>
#include <span>

#include "model/adapter.h"
#include "model/cross_attention.h"
#include "model/decoder_plan.h"
#include "model/distance_bias.h"
#include "model/experts.h"
#include "model/kv_cache.h"
#include "model/learned_activation.h"
#include "model/recurrent/recurrent_layer.h"
#include "model/row_table.h"
#include "model/scratch.h"
#include "model/token_batch.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"

namespace holdfast::model {

// The decoder block that all decoder families share: embeddings, then layers of attention to what came before
// and feed-forward. Immutable; safe from any thread. Linear layers are packed copies; the embedding tables
// are read in place from the weights, which it borrows.
class Decoder {
 public:
  static Result<Decoder> load(DecoderPlan plan, const WeightReader& reader);

  const DecoderPlan& plan() const { return plan_; }
  const tensor::Kernels& kernels() const { return *kernels_; }
  tensor::Compute compute() const { return compute_; }
  const RowTable& words() const { return words_; }

  struct States {
    tensor::Floats embedded;  // After the embeddings, [tokens, E]; only where asked for.
    tensor::Floats last;      // What the head reads, [tokens, head_inputs()].
  };
  enum class Keep : uint8_t { last, embedded_too };
  // New tokens of several sequences, each going on from its cache, which grows by them; a null cache is an
  // empty one that nobody keeps. Positions count on from what the cache holds. A sequence's bits depend
  // neither on the batch around it nor on how its tokens are split into calls, nor on the number of threads.
  // `adapters`, where given: one a sequence, null for the base alone. `memories`, of an encoder-decoder
  // model: one a sequence.
  Result<States> forward(const TokenBatch& batch, std::span<KvCache* const> caches, tensor::Threads& threads,
                         Keep keep = Keep::last, std::span<const Adapter* const> adapters = {},
                         std::span<const Memory* const> memories = {}) const;
  // What all layers read of rows [tokens, E] of an encoder's output. Only of encoder-decoder models.
  Memory remember(const float* rows, size_t tokens, tensor::Threads& threads) const;
  const KvPool& pages() const { return *pages_; }
  size_t head_inputs() const { return plan_.project_out.empty() ? plan_.width : plan_.embedding_width; }

 private:
  struct Latent {
    LinearLayer query_down, query_up, down, up;
    std::optional<Norm> query_norm;
    Norm norm;
  };
  struct Layer {
    LinearLayer query_key_value, attention_out, inner, down;
    std::optional<Norm> attention_norm, attention_post_norm, inner_norm, inner_post_norm, query_norm,
        key_norm;
    std::optional<CrossAttention> cross;
    std::optional<Experts> experts;
    std::optional<Latent> latent;
    std::unique_ptr<const RecurrentLayer> recurrent;
    size_t key_place = 0, state_place = 0;  // Among layers in a page, among floats in a text's states.
    LinearLayer answer_gate;
    std::vector<float> sinks;
    std::optional<LearnedActivation> activation;
    std::vector<float> by_distance;  // Where each layer has its own.
  };
  // Buffers of calls, kept between them.
  struct Space {
    tensor::Floats joined, context, inner, gates, normed, branch, second, states;
  };
  // One call.
  struct Work {
    const TokenBatch& batch;
    std::span<KvCache* const> caches;
    tensor::Threads& threads;
    std::vector<tensor::RopeTable> angles;  // By rope.
    std::vector<int64_t> rows;              // 0, 1, 2, ...
    std::span<const Adapter* const> adapters;
    std::span<const Memory* const> memories;
    Space& space;
  };

  Decoder() = default;
  Status load_outside(const DecoderWeights& weights);
  Status load_layer(const DecoderWeights& weights, size_t index, Layer& layer) const;
  Status load_attention(const DecoderWeights& weights, const std::string& at, Layer& layer) const;
  Status load_latent(const DecoderWeights& weights, const std::string& at, Layer& layer) const;
  Status check(const TokenBatch& batch, std::span<KvCache* const> caches,
               std::span<const Adapter* const> adapters, std::span<const Memory* const> memories) const;

  size_t key_offset() const { return plan_.heads * plan_.head_width; }
  size_t value_offset() const { return key_offset() + plan_.key_heads * plan_.head_width; }
  tensor::Precision page_precision() const {
    return pages_->shape().pairs ? tensor::Precision::bf16 : tensor::Precision::f32;
  }
  size_t joined_width() const { return value_offset() + plan_.key_heads * plan_.value_width; }

  void embed(Work& work, float* x) const;
  void normalize(DecoderPlan::NormKind kind, const Norm& norm, const float* in, float* out, size_t rows,
                 size_t width) const;
  void normalize_rows(Work& work, const Norm& norm, const float* in, float* out) const;
  // Some sequences of a batch, and their rows.
  struct Part {
    size_t sequence = 0, sequences = 0, row = 0, rows = 0;
  };
  static Part whole(const Work& work) { return {0, work.batch.sequences(), 0, work.batch.tokens()}; }
  void normalize_heads(Work& work, const Layer& layer, Part part) const;
  void sharpen(Work& work, Part part) const;
  void clip_heads(Work& work, Part part) const;
  void rotate(Work& work, Part part, size_t rope, size_t offset, size_t heads, size_t head_width,
              size_t skip) const;
  void normalize_latent(const Norm& norm, float* rows, size_t count, size_t width) const;
  void project_latent(Work& work, const Latent& latent, const float* in, size_t rope) const;
  void keep(Work& work, size_t index, Part part) const;
  void attend(Work& work, size_t index, Part part) const;
  void turn_and_attend(Work& work, size_t index, Part part) const;
  void gate_answers(Work& work, const Layer& layer, const float* in) const;
  void carry(Work& work, const Layer& layer, const float* in, float* out) const;
  // `addend` may be out; null, or nothing may follow the branch's last product.
  void attention(Work& work, size_t index, const float* in, float* out, const float* addend = nullptr) const;
  void feed_forward(Work& work, size_t index, const float* in, float* out,
                    const float* addend = nullptr) const;
  void adapt(Work& work, size_t index, Adapter::Place place, const float* in, size_t inputs, float* out,
             size_t outputs) const;
  void run(Work& work, size_t index, float* x) const;
  void run_after(Work& work, size_t index, float* x) const;

  DecoderPlan plan_;
  tensor::Compute compute_;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
  RowTable words_, positions_;
  std::optional<Norm> embedding_norm_, final_norm_;
  LinearLayer project_in_, project_out_;
  std::vector<Layer> layers_;
  std::vector<float> slopes_;       // ALiBi's, by head.
  std::vector<float> by_distance_;  // T5's bias, as attention takes it.
  size_t reach_ = 0;
  std::unique_ptr<const KvPool> pages_;
  std::unique_ptr<ScratchPool<Space>> spaces_;
};

}  // namespace holdfast::model
