#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/position_plan.h"
#include "model/rope.h"
#include "model/token_layer.h"
#include "model/weight_reader.h"
#include "tensor/activation.h"

namespace holdfast::model {

using tensor::Activation;

// What a checkpoint is for: the head on top of the encoder.
enum class Head : uint8_t {
  none,
  sequence_classification,
  token_classification,
  fill_mask,
  question_answering,
  multiple_choice,
  pre_training,
  next_sentence
};

// A dense layer of a head: norm(activation(x weight^T + bias)).
struct HeadStep {
  std::string linear;
  size_t outputs = 0;
  Activation activation = Activation::none;
  std::string norm = {};  // Empty: none.
  Bias bias = Bias::with;
  Bias norm_bias = Bias::with;
  std::string tied = {};       // The table that is the weight where LINEAR.weight is missing.
  std::string bias_name = {};  // Where LINEAR.bias is missing.
  // MobileBERT: the weight's columns from own_inputs on are the rows of REST.weight; empty: all are its own.
  size_t own_inputs = 0;
  std::string rest = {};
};

// One output of a model: which hidden states, and the steps that they go through.
struct HeadPlan {
  enum class Rows : uint8_t {
    tokens,
    first,
    mean,
    last,
    late,    // Each token's answer, and then their mean.
    summary  // What the family's own layer sums each sequence up by.
  };
  enum class Shape : uint8_t {
    columns,    // [rows, outputs]
    flat,       // One output, and its dimension is left out.
    start_end,  // Two outputs as two tensors: start_logits and end_logits.
    choices     // One output a sequence; the sequences of one example form its row.
  };
  std::string output;
  Rows rows = Rows::tokens;
  Shape shape = Shape::columns;
  std::vector<HeadStep> steps;
  bool optional = false;        // Left out where the checkpoint has no weights for it.
  bool counts_padding = false;  // mean and last are of the padded row.
  // Splinter: start_logits and end_logits by likeness to the first token with this id, instead of all above.
  std::optional<int64_t> question_id = {};
};

// DeBERTa's attention by distance.
struct Disentangled {
  size_t span = 0;     // Distances are -span to span - 1 rows of the table.
  size_t buckets = 0;  // > 0: far distances share rows.
  size_t distance_max = 0;
  bool content_to_position = false, position_to_content = false;
  bool shares_projections = false;
  bool normalized = false;                                     // The table goes through a normalization.
  std::string key = "pos_key_proj", query = "pos_query_proj";  // Beside attention.self.
};

// A convolution beside the first layer (DeBERTa v2 xlarge).
struct SideConvolution {
  size_t kernel = 0, groups = 1;
  Activation activation = Activation::tanh;
};

// WavLM's switch of the bias by distance: what each head of each token lets through, of the rows that its
// attention reads. Names follow the layer's own.
struct DistanceGate {
  std::string linear, factor;
};

// BEiT's bias by how far apart two patches of a grid are, down and across. Row 0 is that of the class, before
// the patches. NAME.relative_position_bias_table [(2 height - 1) (2 width - 1) + 3, heads].
struct GridBias {
  size_t height = 0, width = 0;
  std::string own, shared;  // Of each layer, after its name; of all. Empty: none; both are added.
};

// Tables of where a token's box stands on its page: its left and right, its top and bottom, its height and
// its width. Without boxes all of them are 0.
struct BoxTables {
  size_t rows = 0;
  std::string across, down, height, width;
};

// Longformer's tokens that all others see however far away, and that see all others through projections of
// their own: the first ones of a sequence.
struct FarSeeing {
  enum class Which : uint8_t { none, first, question };  // question: those before the first `separator`.
  Which which = Which::none;
  int64_t separator = 2;
  std::string query, key, value;
};

// What config.json asks for, in the words of the shared encoder block, and what the checkpoint calls its
// tensors. A family file fills it in. Names are without prefix; those of a layer follow the layer's own.
struct EncoderPlan {
  enum class NormPlace : uint8_t { after, before };  // Of the residual branch.
  enum class NormKind : uint8_t { layer, root_mean_square };
  enum class Positions : uint8_t {
    none,
    columns,      // 0, 1, 2, ... after position_offset
    past_padding  // Padding ids stay at pad_id; the others count on from pad_id + 1.
  };
  struct LayerKind {
    std::string prefix;          // "encoder.layer.0."; equal prefixes share their weights.
    size_t window = 0;           // > 0: a token sees those at most so far away.
    int rope = -1;               // Index into `ropes`.
    bool attention_norm = true;  // With norms before: whether the first one is there.
  };

  std::string family;
  size_t width = 0;            // E
  size_t embedding_width = 0;  // Of the tables.
  size_t heads = 0, head_width = 0;
  size_t key_heads = 0;  // 0: as many as heads. A group of heads shares one.
  size_t inner = 0, vocabulary = 0;
  size_t positions = 0;  // The longest sequence: rows of the table of positions less those it skips.
  size_t position_rows = 0;
  size_t position_offset = 0;          // Rows of the table before the first column's.
  Sinusoid sinusoid = Sinusoid::none;  // Where no table is stored.
  size_t types = 0;                    // 0: no table of types.
  float epsilon = 1e-12F;
  Activation activation = Activation::gelu;
  NormPlace norm_place = NormPlace::after;
  NormKind norm_kind = NormKind::layer;
  Bias norm_bias = Bias::with, attention_bias = Bias::with, inner_bias = Bias::with;
  Positions position_kind = Positions::columns;
  int64_t pad_id = 0;
  bool gated = false;                 // activation(gate x) * (up x)
  float scale = 0;                    // Of attention scores; 0: 1 / sqrt(D).
  float embedding_scale = 1;          // Of words alone.
  std::optional<int64_t> dropped_id;  // ESM's: no embedding, and the others are scaled up by their share.
  size_t length_max = 0;              // > 0: longer sequences would meet attention that is not ours.
  bool rotates_values = false;        // Rotary positions turn values too.
  bool bare_texts = false;      // Texts are read without special tokens, and one without tokens is all zeros.
  bool zeroes_padding = false;  // Padding sees less than other tokens do; its own rows are not ours.
  std::vector<LayerKind> layers;
  std::vector<RopeSpec> ropes;
  std::optional<Disentangled> disentangled;
  std::optional<DistanceBias> distance_bias;
  std::optional<DistanceGate> distance_gate;  // Of this bias.
  std::optional<GridBias> grid_bias;
  std::optional<SideConvolution> convolution;
  std::optional<BoxTables> boxes;
  std::optional<FarSeeing> far_seeing;
  float grid_theta = 0;  // > 0: rotary positions by place in the picture (DINOv3), TokenBatch::places.

  // Instead of the shared block: what loads layer `index` of `layers`; what makes the rows it begins with.
  using MakeLayer = std::function<Result<std::unique_ptr<TokenLayer>>(const WeightReader& reader,
                                                                      const EncoderPlan& plan, size_t index)>;
  MakeLayer make_layer, make_embedding;
  bool sums_up = false;  // The last of these layers sums sequences up for the heads.

  std::vector<std::string> prefixes;
  WeightReader::Renames renames;
  std::string words;  // Empty: no table; batches bring embedded rows, of images or sounds.
  std::string position_table, type_table;
  std::string kind_table;  // Of kinds of tasks, `kinds` rows, of which the first one counts; empty: none.
  size_t kinds = 0;
  std::string embedding_norm;        // Empty: none.
  std::string embedding_projection;  // Empty: none. After the norm unless projects_first.
  Bias projection_bias = Bias::with;
  bool projects_first = false;
  std::string query, key, value;
  std::string query_key_value;  // One layer of all three, where the checkpoint has it.
  bool interleaved = false;     // Its outputs are by head; the biases are q_bias and v_bias beside it.
  std::string attention_out, attention_norm;
  std::string up, gate;  // gate: only with `gated`.
  std::string gate_up;   // One layer of both, the gate first, where the checkpoint has it.
  std::string up_gate;   // The same, the gate last.
  std::string out, out_norm;
  std::string attention_scale, out_scale;  // A factor for each column of a branch; empty: none.
  std::string final_norm;                  // Empty: none.

  Head head = Head::none;
  std::vector<HeadPlan> outputs;
  std::vector<std::string> labels;  // Of the classification heads, by index.
};

}  // namespace holdfast::model
