#include "model/gguf_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>

#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// An architecture of llama.cpp, the family of ours that it is, and how its converter changed the weights.
struct Architecture {
  std::string_view name, family;
  tensor::RopePairs pairs;  // Queries and keys are reordered so that neighbours turn together.
  bool adds_one = false;    // Norms hold their scale whole.
};

constexpr Architecture architectures[] = {
    {"llama", "llama", tensor::RopePairs::neighbours},
    {"mistral", "mistral", tensor::RopePairs::neighbours},
    {"smollm3", "smollm3", tensor::RopePairs::neighbours},
    {"granite", "granite", tensor::RopePairs::neighbours},
    {"qwen2", "qwen2", tensor::RopePairs::halves},
    {"qwen3", "qwen3", tensor::RopePairs::halves},
    {"gemma", "gemma", tensor::RopePairs::halves, true},
    {"gemma2", "gemma2", tensor::RopePairs::halves, true},
    {"gemma3", "gemma3_text", tensor::RopePairs::halves, true},
    {"phi3", "phi3", tensor::RopePairs::halves},
};

const Architecture* find_architecture(std::string_view name) {
  for (const Architecture& one : architectures)
    if (one.name == name) return &one;
  return nullptr;
}

// Names of a layer's tensors in GGUF, and the family files'.
constexpr std::pair<std::string_view, std::string_view> layer_names[] = {
    {"attn_norm", "input_layernorm"},    {"ffn_norm", "post_attention_layernorm"},
    {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},      {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_output", "self_attn.o_proj"}, {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"}, {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"},
};
constexpr std::pair<std::string_view, std::string_view> gemma_names[] = {
    {"post_attention_norm", "post_attention_layernorm"},
    {"ffn_norm", "pre_feedforward_layernorm"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
};
constexpr std::pair<std::string_view, std::string_view> outer_names[] = {
    {"token_embd", "embed_tokens"}, {"output_norm", "norm"}, {"output", "lm_head"}};

// "blk.3.attn_q.weight" becomes "layers.3.self_attn.q_proj.weight"; empty for what we do not read.
std::string our_name(std::string_view architecture, std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view end = name.substr(dot);
  std::string_view stem = name.substr(0, dot);
  for (const auto& [theirs, ours] : outer_names)
    if (stem == theirs) return std::string(ours).append(end);
  if (!stem.starts_with("blk.")) return {};
  stem.remove_prefix(4);
  const size_t next = stem.find('.');
  if (next == std::string_view::npos) return {};
  const std::string_view layer = stem.substr(0, next);
  stem.remove_prefix(next + 1);
  const auto full = [&](std::string_view ours) { return fmt::format("layers.{}.{}{}", layer, ours, end); };
  if (architecture == "gemma2" || architecture == "gemma3")
    for (const auto& [theirs, ours] : gemma_names)
      if (stem == theirs) return full(ours);
  if (architecture == "phi3" && stem == "ffn_up") return full("mlp.gate_up_proj");
  for (const auto& [theirs, ours] : layer_names)
    if (stem == theirs) return full(ours);
  return {};
}

constexpr std::pair<std::string_view, std::string_view> number_keys[] = {
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

// Numbers such as epsilon are 32-bit floats in the file, whole ones stay whole.
Status copy_number(const codec::GgufFile& file, const std::string& from, std::string_view to,
                   boost::json::object& config) {
  const codec::GgufValue* value = file.find(from);
  if (value == nullptr) return Done{};
  if (std::holds_alternative<uint64_t>(*value) || std::holds_alternative<int64_t>(*value)) {
    TRY(const auto number, file.integer_if(from));
    config[to] = *number;
    return Done{};
  }
  TRY(const auto number, file.number_if(from));
  config[to] = *number;
  return Done{};
}

Status copy_rope(const codec::GgufFile& file, const std::string& at, boost::json::object& config) {
  TRY(const auto kind, file.text_if(at + "rope.scaling.type"));
  TRY(const auto factor, file.number_if(at + "rope.scaling.factor"));
  if (!kind || *kind == "none" || !factor) return Done{};
  boost::json::object scaling{{"rope_type", *kind}, {"factor", *factor}};
  TRY_DONE(copy_number(file, at + "rope.scaling.original_context_length", "original_max_position_embeddings",
                       scaling));
  config["rope_scaling"] = std::move(scaling);
  return Done{};
}

}  // namespace

Result<boost::json::object> config_of_gguf(const codec::GgufFile& file) {
  TRY(const auto name, file.text_if("general.architecture"));
  const Architecture* architecture = find_architecture(name.value_or(""));
  if (architecture == nullptr)
    return fail(Reason::model_unsupported, fmt::format("GGUF models of architecture '{}' are not supported",
                                                       name.value_or("").substr(0, 60)));
  const std::string at = std::string(architecture->name) + ".";
  boost::json::object config{{"model_type", architecture->family}};
  config["architectures"] = boost::json::array{"ModelForCausalLM"};
  for (const auto& [theirs, ours] : number_keys)
    TRY_DONE(copy_number(file, at + std::string(theirs), ours, config));
  TRY_DONE(copy_rope(file, at, config));
  const codec::GgufTensor* words = file.find_tensor("token_embd.weight");
  if (words == nullptr || words->dimensions.size() != 2)
    return fail(Reason::bad_request, "the file has no table of tokens (token_embd.weight)");
  config["vocab_size"] = static_cast<int64_t>(words->dimensions[1]);
  config["tie_word_embeddings"] = file.find_tensor("output.weight") == nullptr;
  // Biases are there or not; the file does not say so otherwise.
  config["attention_bias"] = file.find_tensor("blk.0.attn_q.bias") != nullptr;
  TRY(const auto turning, file.integer_if(at + "rope.dimension_count"));
  TRY(const auto width, file.integer_if(at + "embedding_length"));
  TRY(const auto heads, file.integer_if(at + "attention.head_count"));
  if (turning && width && heads && *heads > 0 && !config.contains("head_dim") && *turning * *heads != *width)
    config["partial_rotary_factor"] =
        static_cast<double>(*turning) * static_cast<double>(*heads) / static_cast<double>(*width);
  return config;
}

Result<std::unique_ptr<GgufWeights>> GgufWeights::open(io::Disk& disk, const io::Path& file) {
  std::unique_ptr<GgufWeights> out(new GgufWeights());
  TRY(out->bytes_, disk.map(file));
  TRY(codec::GgufFile parsed, codec::GgufFile::parse(out->bytes_->bytes()));
  out->file_ = std::make_unique<codec::GgufFile>(std::move(parsed));
  TRY(const auto architecture, out->file_->text_if("general.architecture"));
  for (const codec::GgufTensor& tensor : out->file_->tensors()) {
    std::string name = our_name(architecture.value_or(""), tensor.name);
    if (name.empty()) continue;
    BlockView view{tensor.type, {tensor.dimensions.rbegin(), tensor.dimensions.rend()}, tensor.bytes};
    out->tensors_.emplace(std::move(name), std::move(view));
  }
  return out;
}

const BlockView* GgufWeights::find(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  return found == tensors_.end() ? nullptr : &found->second;
}

Result<DecoderPlan> GgufWeights::plan() const {
  TRY(const boost::json::object config, config_of_gguf(*file_));
  TRY(DecoderPlan plan, plan_decoder(config));
  TRY(const auto name, file_->text_if("general.architecture"));
  const Architecture& architecture = *find_architecture(name.value_or(""));  // config_of_gguf found it.
  for (RopeSpec& rope : plan.ropes) rope.pairs = architecture.pairs;
  if (file_->find_tensor("rope_freqs.weight") != nullptr)
    return fail(Reason::model_unsupported, "GGUF models with stored rotary factors are not supported");
  if (architecture.adds_one) {
    plan.norm = DecoderPlan::NormKind::root_mean_square;
    plan.head_norm_kind = DecoderPlan::NormKind::root_mean_square;
  }
  plan.prefixes.clear();
  return plan;
}

}  // namespace holdfast::model
