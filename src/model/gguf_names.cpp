#include "model/gguf_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::model {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

using enum tensor::RopePairs;
constexpr bool one = true, written = true;
constexpr GgufArchitecture architectures[] = {
    {"llama", "llama", neighbours, !one, written},
    {"mistral", "mistral", neighbours, !one, written},
    {"smollm3", "smollm3", neighbours, !one, written},
    {"granite", "granite", neighbours, !one, written},
    {"qwen2", "qwen2", halves, !one, written},
    {"qwen3", "qwen3", halves, !one, written},
    {"gemma", "gemma", halves, one, written},
    {"gemma2", "gemma2", halves, one, written},
    {"gemma3", "gemma3_text", halves, one, written},
    {"phi3", "phi3", halves, !one, written},
    {"gpt2", "gpt2", halves},
    {"olmo2", "olmo2", halves},
    {"stablelm", "stablelm", halves},
    {"starcoder2", "starcoder2", halves},
    {"qwen2moe", "qwen2_moe", halves},
    {"qwen3moe", "qwen3_moe", halves},
    {"arcee", "arcee", neighbours},
    {"bloom", "bloom", halves},
    {"cohere2", "cohere2", neighbours},
    {"command-r", "cohere", neighbours},
    {"dots1", "dots1", halves},
    {"ernie4_5", "ernie4_5", neighbours},
    {"exaone4", "exaone4", halves},
    {"falcon", "falcon", halves},
    {"glm4", "glm4", neighbours},
    {"glm4moe", "glm4_moe", halves},
    {"gptneox", "gpt_neox", halves},
    {"granitemoe", "granitemoe", neighbours},
    {"mpt", "mpt", halves},
    {"nemotron", "nemotron", halves, one},
    {"olmo", "olmo", neighbours},
    {"olmoe", "olmoe", halves},
    {"phi2", "phi", halves},
    {"seed_oss", "seed_oss", halves},
    {"starcoder", "gpt_bigcode", halves},
};

// Names of a layer's tensors in GGUF, and the family files'.
constexpr Names layer_names[] = {
    {"attn_norm", "input_layernorm"},    {"ffn_norm", "post_attention_layernorm"},
    {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},      {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_output", "self_attn.o_proj"}, {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"}, {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"},
};
constexpr Names gemma_names[] = {
    {"post_attention_norm", "post_attention_layernorm"},
    {"ffn_norm", "pre_feedforward_layernorm"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
};
constexpr Names outer_names[] = {
    {"token_embd", "embed_tokens"}, {"output_norm", "norm"}, {"output", "lm_head"}};

constexpr Names number_keys[] = {
    {"context_length", "max_position_embeddings"},
    {"embedding_length", "hidden_size"},
    {"block_count", "num_hidden_layers"},
    {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads"},
    {"attention.key_length", "head_dim"},
    {"attention.sliding_window", "sliding_window"},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
    {"attention.layer_norm_epsilon", "layer_norm_eps"},
    {"rope.freq_base", "rope_theta"},
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"embedding_scale", "embedding_multiplier"},
    {"residual_scale", "residual_multiplier"},
    {"attention.scale", "attention_multiplier"},
    {"logit_scale", "logits_scaling"},
};

// Pairs of a layer's names, the architecture's own first.
std::span<const Names> own_names(std::string_view architecture) {
  constexpr static Names phi3_names[] = {{"ffn_up", "mlp.gate_up_proj"}};
  if (architecture == "gemma2" || architecture == "gemma3") return gemma_names;
  if (architecture == "phi3") return phi3_names;
  return {};
}

struct Split {
  std::string_view stem, end;  // End with its dot: ".weight"
};
Split split(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  return {name.substr(0, dot), name.substr(dot)};
}

// "PREFIX3.REST" into the number and the rest; nothing where it is not that.
Split layer_of(std::string_view stem, std::string_view prefix) {
  if (!stem.starts_with(prefix)) return {};
  stem.remove_prefix(prefix.size());
  const size_t next = stem.find('.');
  if (next == std::string_view::npos) return {};
  return {stem.substr(0, next), stem.substr(next + 1)};
}

}  // namespace

const GgufArchitecture* gguf_architecture(std::string_view name) {
  const auto found = std::find_if(std::begin(architectures), std::end(architectures),
                                  [&](const GgufArchitecture& row) { return row.name == name; });
  return found == std::end(architectures) ? nullptr : &*found;
}

const GgufArchitecture* gguf_architecture_of(std::string_view family) {
  if (family == "mistral") family = "llama";  // llama.cpp knows the two by one name.
  const auto found =
      std::find_if(std::begin(architectures), std::end(architectures),
                   [&](const GgufArchitecture& row) { return row.written && row.family == family; });
  return found == std::end(architectures) ? nullptr : &*found;
}

std::string name_from_gguf(const DecoderPlan& plan, std::string_view name) {
  const auto [stem, end] = split(name);
  for (const auto& [theirs, ours] :
       {std::pair<std::string_view, const std::string*>{"token_embd", &plan.words},
        {"position_embd", &plan.position_table},
        {"token_embd_norm", &plan.embedding_norm},
        {"output_norm", &plan.final_norm},
        {"output", &plan.head}})
    if (stem == theirs && !ours->empty()) return *ours + std::string(end);
  const auto [layer, rest] = layer_of(stem, "blk.");
  if (rest.empty()) return {};
  std::string found;
  for (const auto& [theirs, ours] :
       {std::pair<std::string_view, const std::string*>{"attn_norm", &plan.attention_norm},
        {"ffn_norm", &plan.inner_norm},
        {"post_attention_norm", &plan.attention_post_norm},
        {"post_ffw_norm", &plan.inner_post_norm},
        {"attn_q", &plan.query},
        {"attn_k", &plan.key},
        {"attn_v", &plan.value},
        {"attn_qkv", &plan.query_key_value},
        {"attn_output", &plan.attention_out},
        {"attn_q_norm", &plan.query_norm},
        {"attn_k_norm", &plan.key_norm},
        {"ffn_gate", &plan.gate},
        {"ffn_up", plan.gate_up.empty() ? &plan.up : &plan.gate_up},
        {"ffn_down", &plan.down}})
    if (rest == theirs) found = *ours;
  // Falcon's two norms side by side are told apart by a number, the feed-forward's first. Where nothing
  // follows attention's branch, its norm "after" is the one before the feed-forward.
  if (plan.inner_norm == "ln_mlp" && rest == "attn_norm") found = plan.inner_norm;
  if (plan.inner_norm == "ln_mlp" && rest == "attn_norm_2") found = plan.attention_norm;
  if (rest == "post_attention_norm" && plan.attention_post_norm.empty()) found = plan.inner_norm;
  if (plan.experts) {
    const ExpertsPlan& experts = *plan.experts;
    if (rest == "ffn_gate_inp") found = experts.router;
    if (rest == "ffn_gate_inp_shexp") found = experts.shared_gate;
    if (rest == "exp_probs_b" && end == ".bias")
      return fmt::format("{}{}.{}.e_score_correction_bias", plan.layer_prefix, layer, experts.router);
    for (const auto& [theirs, ours] : {Names{"ffn_gate_shexp", ".gate_proj"},
                                       {"ffn_up_shexp", ".up_proj"},
                                       {"ffn_down_shexp", ".down_proj"}})
      if (rest == theirs && !experts.shared.empty()) found = experts.shared + std::string(ours);
  }
  return found.empty() ? found : fmt::format("{}{}.{}{}", plan.layer_prefix, layer, found, end);
}

std::string expert_name_from_gguf(const DecoderPlan& plan, std::string_view name, size_t expert) {
  const auto [stem, end] = split(name);
  const auto [layer, rest] = layer_of(stem, "blk.");
  if (!plan.experts || rest.empty()) return {};
  const ExpertsPlan& experts = *plan.experts;
  for (const auto& [theirs, ours] :
       {std::pair<std::string_view, const std::string*>{"ffn_gate_exps", &experts.gate},
        {"ffn_up_exps", &experts.up},
        {"ffn_down_exps", &experts.down}})
    if (rest == theirs)
      return fmt::format("{}{}.{}.{}.{}{}", plan.layer_prefix, layer, experts.experts, expert, *ours, end);
  return {};
}

std::string name_to_gguf(std::string_view architecture, std::string_view name) {
  const auto [stem, end] = split(name);
  for (const auto& [theirs, ours] : outer_names)
    if (stem == ours) return std::string(theirs).append(end);
  const auto [layer, rest] = layer_of(stem, "layers.");
  for (const std::span<const Names> names : {own_names(architecture), std::span<const Names>(layer_names)})
    for (const auto& [theirs, ours] : names)
      if (!rest.empty() && rest == ours) return fmt::format("blk.{}.{}{}", layer, theirs, end);
  return {};
}

std::span<const std::pair<std::string_view, std::string_view>> gguf_number_keys() { return number_keys; }

}  // namespace holdfast::model
