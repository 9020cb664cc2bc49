#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/position_plan.h"
#include "model/recurrent/recurrent_plan.h"
#include "model/rope.h"
#include "model/weight_reader.h"
#include "tensor/activation.h"

namespace holdfast::model {

// Several experts beside each other, of which a router picks a few for each token.
struct ExpertsPlan {
  enum class Scores : uint8_t {
    softmax,            // Of all experts; the picked ones keep their share.
    softmax_picked,     // Of the picked ones alone.
    softmax_grouped,    // DeepSeek V2: of all, best groups first.
    softmax_by_pairs,   // Mistral 4: likewise, a group as good as its two best.
    softmax_corrected,  // Ernie 4.5: of all, corrected for the choice alone.
    sigmoid_grouped,    // DeepSeek V3: sigmoid, corrected for the choice, best groups first.
    sigmoid_of_input,   // Llama 4: the picked ones read the token times their sigmoid.
    sparse_mixer        // Phi 3.5 MoE: two, each the softmax of the scores that come near it.
  };
  enum class Layout : uint8_t {
    each,                 // A tensor an expert and layer: EXPERTS.3.gate_proj.weight
    stacked,              // [experts, out, in], gates before values, without biases (granitemoe).
    stacked_transposed,   // [experts, in, out], gate and up alternate, with biases (gpt_oss).
    stacked_inputs_first  // [experts, in, out], gates before values, without biases (llama4).
  };
  size_t count = 0, picked = 0, inner = 0;
  Scores scores = Scores::softmax;
  Layout layout = Layout::each;
  bool normalized = true;  // The picked ones' shares are scaled to sum to 1.
  float factor = 1;        // And then by this.
  size_t groups = 1, groups_picked = 1;
  size_t capacity = 0;  // > 0: in a sequence the tokens beyond so many of one expert go without (encoders).
  std::string before_number = ".";  // Layout::each: EXPERTS.3
  std::string router = "mlp.gate", experts = "mlp.experts", gate = "gate_proj", up = "up_proj",
              down = "down_proj";
  bool gated = true;       // False: an expert's first layer has no gates.
  float share_min = 0;     // The sum that shares are scaled by is at least this.
  float share_more = 0;    // And has this added before.
  bool corrected = true;   // sigmoid_grouped: the choice has a correction.
  float nearness = 0;      // sparse_mixer: scores further below the best one, in its parts, do not count.
  std::string correction;  // A tensor; empty: e_score_correction_bias of the router.
  std::string shared;      // An expert for every token; empty: none.
  std::string shared_gate_up, shared_down = "down_proj";  // The first where one layer has both.
  size_t shared_inner = 0;
  Bias shared_bias = Bias::without;
  std::string shared_gate;     // Its own sigmoid gate; empty: none.
  bool alternates = true;      // stacked_transposed: gate and up alternate; else all gates come first.
  float clamp = 0, alpha = 0;  // gpt_oss: (up + 1) * gate * sigmoid(alpha * gate), both clamped.
};

// DeepSeek's attention from compressed keys and values.
struct LatentPlan {
  size_t query_rank = 0;  // 0: queries are not compressed.
  size_t rank = 0, plain_width = 0, rotary_width = 0;
  float epsilon = 1e-6F;  // Of the compressed rows' norms, whatever the others' is.
};

// What a layer reads of an encoder's output, between its own attention and feed-forward. Names follow the
// layer's own.
struct CrossPlan {
  std::string query, key, value, out, norm;
  std::string key_value = {};  // One layer of both, where the checkpoint has it.
  size_t memory_width = 0;     // Of the encoder's rows; 0: the decoder's own.
};

// What config.json asks for, in the words of the shared decoder block, and what the checkpoint calls its
// tensors. A family file fills it in; the defaults are llama's. Names of a layer follow LAYER_PREFIX<i>.
struct DecoderPlan {
  enum class NormKind : uint8_t {
    root_mean_square,
    root_mean_square_plus_one,  // The stored scale lacks 1 (gemma).
    layer,
    layer_plus_one  // Likewise of a layer norm (nemotron).
  };
  enum class JoinedOrder : uint8_t {
    blocks,     // All queries, all keys, all values.
    by_head,    // Query, key, value of head 0, then of head 1, ...
    by_group,   // The queries of key head 0, its key, its value, ...
    by_quarter  // Queries, values, keys of the first quarter of the heads, then of the second, ... (codegen)
  };
  enum class WeightOrder : uint8_t { outputs_first, inputs_first };  // The second as in GPT-2's Conv1D.
  enum class HeadNorm : uint8_t {
    none,
    each,   // One scale for every head.
    own,    // A scale a head, in one tensor [heads, D] or a tensor a head.
    across  // Over all heads of a token together.
  };
  enum class Head : uint8_t {
    none,
    language,
    sequence_classification,
    token_classification,
    question_answering
  };
  struct Layer {
    size_t window = 0;  // > 0: a token sees itself and window - 1 before it.
    size_t chunk = 0;   // > 0: texts are cut every `chunk` tokens, and a token sees none before its cut.
    int rope = 0;       // Index into `ropes`; -1: none.
    bool experts = false;
    bool attends = true, feeds = true;  // Nemotron-H: layers are attention, a state or a feed-forward alone.
    bool recurrent = false;             // In attention's place, unless it attends too (Falcon-H1).
    float scale = 0;                    // Of attention scores; 0: the plan's.
    bool attention_norm = true;         // Whether the norm before attention is there, where the plan has one.
  };

  std::string family;
  size_t width = 0, heads = 0, key_heads = 0, head_width = 0, value_width = 0;
  size_t inner = 0, vocabulary = 0, positions = 0;
  size_t embedding_width = 0;        // Of the tables; projected where it is not `width`.
  float epsilon = 1e-6F, scale = 0;  // scale 0: 1 / sqrt(D).
  float final_epsilon = 0;           // Of the last norm; 0: as of the others.
  tensor::Activation activation = tensor::Activation::silu;
  NormKind norm = NormKind::root_mean_square;
  Bias norm_bias = Bias::without, query_bias = Bias::without, out_bias = Bias::without,
       inner_bias = Bias::without, head_bias = Bias::without;
  bool gated = true;
  bool gates_apart = false;          // Gates and values come out of their product as they are, so that
                                     // adapters can change them; the same numbers.
  bool parallel = false;             // x + attention(norm x) + feed_forward(norm x)
  bool norm_after = false;           // OPT 350m: norms follow the sums.
  bool residual_after_norm = false;  // Bloom's switch: the normed rows are what is added to.
  bool alibi = false, alibi_coarse = false;  // Coarse: scaled and rounded to bfloat16, as in Falcon.
  double alibi_most = 8;                     // The gentlest slope's exponent.
  bool both_ways = false;             // Tokens see what follows them too: for embedding, not for writing.
  bool takes_mask_positions = false;  // Positions count the tokens that the mask shows.
  float clip = 0;  // Queries, keys and values are kept within it, both ways; 0: as they are.
  float soft_cap = 0, logit_cap = 0;
  float embedding_scale = 1, residual_scale = 1, logit_scale = 1;
  // Falcon-H1: of what attention reads and adds, of gates, and of what the feed-forward adds.
  float attention_in_scale = 1, attention_scale = 1, gate_scale = 1, inner_scale = 1;
  WeightOrder order = WeightOrder::outputs_first;
  JoinedOrder joined_order = JoinedOrder::blocks;
  bool norm_scales = true;  // False: norms have neither scale nor bias of their own.
  HeadNorm head_norm = HeadNorm::none;
  NormKind head_norm_kind = NormKind::root_mean_square;
  Bias head_norm_bias = Bias::without;
  bool head_norm_scales = true;   // False: they have no scale of their own.
  bool head_norm_turned = false;  // After rotary positions, of layers that have any.
  // Llama 4, of layers without rotary positions: queries times 1 + scale log(1 + floor((p + 1) / floor)).
  size_t temperature_floor = 0;
  float temperature_scale = 0;
  bool temperature_everywhere = false;  // Ministral 3: of every layer, and of p / floor.
  bool learned_activation = false;      // xIELU: each layer has its own numbers in `activation_numbers`.
  std::string activation_numbers = "mlp.act_fn";
  bool sinks = false;
  bool query_gates = false;  // Qwen3-Next: behind each head's queries, gates of what it answers.
  std::vector<Layer> layers;
  std::vector<RopeSpec> ropes;
  bool renews_keys = false;  // Phi 3: keys are made again when a text outgrows the short frequencies.
  std::optional<ExpertsPlan> experts;
  std::optional<LatentPlan> latent;
  std::optional<RecurrentPlan> recurrent;     // Of layers that carry a state.
  std::optional<CrossPlan> cross;             // Of encoder-decoder models.
  std::optional<DistanceBias> distance_bias;  // The past alone has buckets.
  Sinusoid sinusoid = Sinusoid::none;         // Where no table of positions is stored.

  std::vector<std::string> prefixes = {"model."};
  std::string words = "embed_tokens", position_table, embedding_norm;
  bool norms_words = false;    // Before positions are added, not after.
  size_t position_offset = 0;  // Rows of the table before position 0.
  std::string project_in, project_out;
  std::string layer_prefix = "layers.";
  std::string query = "self_attn.q_proj", key = "self_attn.k_proj", value = "self_attn.v_proj";
  std::string query_key_value;  // One layer of all three; empty: separate.
  std::string attention_out = "self_attn.o_proj";
  std::string query_norm = "self_attn.q_norm", key_norm = "self_attn.k_norm";
  std::string gate = "mlp.gate_proj", up = "mlp.up_proj", down = "mlp.down_proj";
  std::string gate_up;                                  // One layer of both, the gate first; empty: separate.
  std::string attention_norm = "input_layernorm";       // Empty: none.
  std::string attention_post_norm;                      // Of what attention adds.
  std::string inner_norm = "post_attention_layernorm";  // Empty: none, or the attention's with `parallel`.
  std::string inner_post_norm;
  std::string final_norm = "norm";  // Empty: none.
  std::string head = "lm_head";     // Without prefix; the table of words where the weights lack it.
  bool tied = false;
  // What rows go through before any head, [E, E] (ModernBERT's decoder): norm(activation(x weight^T + bias)).
  struct HeadStep {
    std::string linear, norm;
    tensor::Activation activation = tensor::Activation::none;
    Bias bias = Bias::without;
  };
  std::optional<HeadStep> before_head;
  Head head_kind = Head::none;
  std::vector<std::string> labels;
  std::optional<int64_t> pad_id;
};

}  // namespace holdfast::model
