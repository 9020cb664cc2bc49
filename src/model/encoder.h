#pragma once

#include <memory>

#include "model/distance_bias.h"
#include "model/encoder_plan.h"
#include "model/opened_distances.h"
#include "model/row_table.h"
#include "model/scratch.h"
#include "model/token_batch.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"
#include "tensor/threads.h"

namespace holdfast::model {

// The encoder block that all encoder families share: embeddings, then layers of attention and feed-forward.
// Immutable but for scratch memory; safe from any thread. Linear layers are packed copies; the embedding
// tables are read in place from the weights, which it borrows.
class Encoder {
 public:
  static Result<Encoder> load(EncoderPlan plan, const WeightReader& reader);

  const EncoderPlan& plan() const { return plan_; }
  const tensor::Kernels& kernels() const { return *kernels_; }
  const RowTable& words() const { return words_; }

  // Hidden states of the last layer, [tokens, E]. bad_request for ids, types or positions outside the tables.
  // A sequence's bits do not depend on the batch around it, nor on the number of threads.
  // `states`, where given: what each layer reads and what the last one leaves, before a final norm;
  // [layers + 1] of [tokens, E]. `sums`, of plans that sum up: what heads read of each sequence,
  // [sequences, E].
  Result<tensor::Floats> forward(const TokenBatch& batch, tensor::Threads& threads,
                                 std::vector<tensor::Floats>* states = nullptr,
                                 tensor::Floats* sums = nullptr) const;

 private:
  struct Layer {
    LinearLayer query_key_value, attention_out, inner, out;
    std::optional<Norm> attention_norm, out_norm;
    std::optional<DisentangledBias> disentangled;
    std::optional<OpenedDistances> gate;
    std::optional<DistanceBiasTable> distances;  // Where each layer has its own.
    LinearLayer far_query, far_key_value;        // Of tokens that see far; null: none do.
    std::vector<float> grid_bias;                // [heads, rows, rows], or empty.
  };
  struct Convolution {
    std::vector<float> weight;  // [E, E / groups, kernel]
    std::vector<float> bias;
    Norm norm;
  };
  // Of the four products of a layer. Little memory is near: what the first and the third read has one place.
  struct LayerRows {
    tensor::ReadyRows input, contexts, inner;
  };
  struct Space : LayerRows {
    tensor::Floats context, start;
    tensor::Floats far_queries, far_keys;  // Of the tokens that see far; keys and values of one sequence.
    tensor::Floats gates, normed;          // Of a distance gate: by row and head; the rows it reads.
    // Where threads share rows: each one's, and queries, keys and values of all. Else those are where the
    // fourth product's rows will be when they are gone.
    std::vector<LayerRows> shares;
    size_t share_count = 0;  // Of them in use.
    tensor::Floats joined_apart;
    float* joined() { return share_count == 0 ? inner.words.data() : joined_apart.data(); }
  };
  struct Part {
    size_t first = 0, last = 0;  // Sequences.
  };
  struct Rows {  // Of a part.
    size_t first = 0, count = 0;
  };
  // How large each input of a layer's four products becomes, for int8; empty where that is not known.
  struct Peaks {
    std::vector<float> input, context, middle, inner;
  };
  struct Trial;

  Encoder() = default;
  Status load_embeddings(const WeightReader& reader);
  Status load_layers(const WeightReader& reader);
  Status load_layer(const WeightReader& reader, const EncoderPlan::LayerKind& kind, const Peaks& peaks,
                    Layer& layer) const;
  Status load_whole_layer(const WeightReader& reader, const EncoderPlan::LayerKind& kind, const Peaks& peaks,
                          const std::vector<float>& distances, Layer& layer) const;
  std::unique_ptr<Trial> begin_trial() const;
  void step_trial(Trial& trial) const;
  Result<Peaks> try_layer(const WeightReader& floats, const EncoderPlan::LayerKind& kind,
                          const std::vector<float>& distances, Trial& trial);
  size_t key_heads() const { return plan_.key_heads > 0 ? plan_.key_heads : plan_.heads; }
  size_t joined_width() const { return (plan_.heads + 2 * key_heads()) * plan_.head_width; }
  Result<LinearLayer> load_interleaved(const WeightReader& reader, const std::string& layer,
                                       const Peaks& peaks) const;
  Result<LinearLayer> load_up_gate(const WeightReader& reader, const std::string& layer,
                                   const Peaks& peaks) const;
  Result<LinearLayer> load_scaled(const WeightReader& reader, const std::string& name,
                                  const std::string& scale, size_t inputs, Bias bias,
                                  std::span<const float> peaks) const;
  void make_room(size_t rows, Space& space) const;
  void make_ready_room(size_t rows, LayerRows& ready) const;
  Status check(const TokenBatch& batch) const;
  Status load_own(const WeightReader& reader);
  std::vector<Part> split(const TokenBatch& batch, size_t threads) const;
  void embed(const TokenBatch& batch, size_t row, size_t rows, tensor::Threads& threads, Space& space,
             float* out) const;
  void add_box(const TokenBatch& batch, size_t token, float* embedding) const;
  void drop(const TokenBatch& batch, size_t token, float* embedding) const;
  void normalize(const Norm& norm, const float* in, float* out, size_t rows, size_t width) const;
  void rotate(const tensor::RopeTable& table, tensor::RopePairs pairs, size_t rows, float* joined) const;
  void set_grid_bias(const std::vector<float>& table, tensor::Attention& job) const;
  void add_between(const TokenBatch& batch, Part part, const std::vector<float>& rows, float* x) const;
  void attend_all(const TokenBatch& batch, Part part, size_t layer, Space& space,
                  tensor::Threads& threads) const;
  void attend_far(const TokenBatch& batch, Part part, const Layer& layer, const float* x, Space& space,
                  tensor::Threads& threads) const;
  void set_bias(const TokenBatch& batch, Part part, size_t layer, const Space& space, tensor::Attention& job,
                std::vector<float>& by_distance) const;
  void set_gated_bias(const TokenBatch& batch, Part part, const Space& space, tensor::Attention& job,
                      const std::vector<float>& by_distance, size_t reach) const;
  void open_gates(const Layer& layer, const float* x, size_t rows, Space& space) const;
  void convolve(const TokenBatch& batch, Part part, const float* in, float* x) const;
  void begin(size_t index, const float* x, Rows rows, LayerRows& ready) const;
  void join(size_t index, Rows rows, const LayerRows& ready, Space& space, tensor::Threads& threads) const;
  void end_layer(size_t index, Rows rows, LayerRows& ready, const Space& space, tensor::Threads& threads,
                 float* x) const;
  void run_layer(const TokenBatch& batch, Part part, size_t index, Space& space, tensor::Threads& threads,
                 float* x) const;
  size_t shares_of(const TokenBatch& batch, size_t rows, size_t threads) const;
  void run_in_shares(const TokenBatch& batch, Part part, Space& space, tensor::Threads& threads,
                     float* x) const;
  bool writes_contexts(const Layer& layer) const;
  bool joins_halves(size_t layer) const;
  tensor::RowNorm row_norm(const Norm& norm) const;
  void run(const TokenBatch& batch, Part part, tensor::Threads& threads, std::vector<tensor::Floats>* states,
           float* sums, float* out) const;

  EncoderPlan plan_;
  tensor::Compute compute_;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
  RowTable words_, positions_, types_, kinds_;
  RowTable across_, down_, box_height_, box_width_;  // Of boxes on a page.
  std::optional<Norm> embedding_norm_, final_norm_;
  LinearLayer projection_;
  std::vector<std::shared_ptr<const Layer>> layers_;           // Some families use one several times.
  std::vector<std::unique_ptr<const TokenLayer>> own_layers_;  // A family's, instead of `layers_`.
  std::unique_ptr<const TokenLayer> own_embedding_;            // Likewise.
  std::optional<DistanceBiasTable> distance_bias_;
  std::optional<Convolution> convolution_;
  std::unique_ptr<ScratchPool<Space>> spaces_;  // Behind a pointer so that the encoder can move.
};

// The position of each id in a row of its own, padding included.
std::vector<int64_t> positions_of(const EncoderPlan& plan, std::span<const int64_t> ids);

}  // namespace holdfast::model
