#include "model/gguf_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>

#include "codec/json.h"
#include "model/families/decoders.h"
#include "model/gguf_names.h"
#include "tensor/blocks.h"

namespace holdfast::model {
namespace {

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

constexpr size_t tensors_max = 1 << 18;  // Experts counted; few bytes of a file may name many.

bool has(const codec::GgufFile& file, std::string_view tensor) { return file.find_tensor(tensor) != nullptr; }

// Keys that are only read.
constexpr std::pair<std::string_view, std::string_view> read_keys[] = {
    {"expert_count", "num_experts"},
    {"expert_used_count", "num_experts_per_tok"},
    {"expert_feed_forward_length", "moe_intermediate_size"},
    {"expert_shared_feed_forward_length", "shared_expert_intermediate_size"},
    {"expert_count", "num_local_experts"},
    {"expert_shared_count", "n_shared_experts"},
    {"leading_dense_block_count", "first_k_dense_replace"},
    {"expert_weights_scale", "routed_scaling_factor"},
    {"expert_group_count", "n_group"},
    {"expert_group_used_count", "topk_group"},
    {"attention.clamp_kqv", "clip_qkv"},
    {"logit_scale", "logit_scale"},
};
constexpr int64_t gated_by_sigmoid = 2;  // Of expert_gating_func.

// What mpt keeps in an object of its own.
Result<boost::json::object> mpt_attention(const codec::GgufFile& file) {
  boost::json::object out;
  TRY_DONE(copy_number(file, "mpt.attention.clamp_kqv", "clip_qkv", out));
  TRY(const auto slope, file.number_if("mpt.attention.max_alibi_bias"));
  out["alibi"] = slope.value_or(0) > 0;
  if (slope.value_or(0) > 0) out["max_alibi_bias"] = *slope;
  return out;
}

// Of DeepSeek's kind of experts, and how many layers there are without those that predict further tokens.
Status add_grouped(const codec::GgufFile& file, const std::string& name, boost::json::object& config) {
  TRY(const auto gating, file.integer_if(name + ".expert_gating_func"));
  if (gating.value_or(gated_by_sigmoid) != gated_by_sigmoid)
    return fail(Reason::model_unsupported,
                "experts that are chosen otherwise than by sigmoid are not supported");
  TRY(const auto normalized, file.flag_if(name + ".expert_weights_norm"));
  if (normalized) config["norm_topk_prob"] = *normalized;
  TRY(const auto further, file.integer_if(name + ".nextn_predict_layers"));
  TRY(const auto layers, file.integer_if(name + ".block_count"));
  if (further && layers && *further >= 0 && *further < *layers)
    config["num_hidden_layers"] = *layers - *further;
  config["use_qk_norm"] = has(file, "blk.0.attn_q_norm.weight");
  return Done{};
}

// What the file says by what it holds, and what llama.cpp knows of an architecture without being told.
Status add_unsaid(const codec::GgufFile& file, const std::string& name, boost::json::object& config) {
  if (name == "llama" && has(file, "blk.0.ffn_gate_exps.weight")) config["model_type"] = "mixtral";
  if (name == "qwen3moe") config["norm_topk_prob"] = true;
  if (name == "dots1" || name == "glm4moe") TRY_DONE(add_grouped(file, name, config));
  if (name == "command-r") config["use_qk_norm"] = has(file, "blk.0.attn_q_norm.weight");
  if (name == "ernie4_5") config["use_bias"] = has(file, "blk.0.attn_q.bias");
  if (name == "seed_oss") config["attention_out_bias"] = has(file, "blk.0.attn_output.bias");
  if (name == "gptneox") {
    TRY(const auto parallel, file.flag_if("gptneox.use_parallel_residual"));
    config["use_parallel_residual"] = parallel.value_or(true);
  }
  if (name == "mpt") {
    TRY(config["attn_config"], mpt_attention(file));
  }
  if (name == "starcoder" || name == "falcon") {
    TRY(const auto keys, file.integer_if(name + ".attention.head_count_kv"));
    config["multi_query"] = keys == 1;
    if (keys) config["num_kv_heads"] = *keys;
    config["new_decoder_architecture"] = keys.value_or(1) > 1;
    config["num_ln_in_parallel_attn"] = has(file, "blk.0.attn_norm_2.weight") ? 2 : 1;
    config["bias"] = has(file, "blk.0.attn_qkv.bias");
  }
  if (!config.contains("sliding_window") && (name == "exaone4" || name == "dots1" || name == "cohere2"))
    config["sliding_window"] = nullptr;  // Their families have one unless they are told.
  if (name == "starcoder2") config["use_bias"] = has(file, "blk.0.attn_output.bias");
  if (name == "stablelm") {
    config["use_qkv_bias"] = has(file, "blk.0.attn_q.bias");
    config["use_parallel_residual"] = !has(file, "blk.0.ffn_norm.weight");
    config["qk_layernorm"] = has(file, "blk.0.attn_q_norm.weight");
  }
  if (name == "gemma2" || name == "gemma3") {
    // Queries are scaled by the width of a head; in the largest of each by the width over the heads.
    TRY(const auto layers, file.integer_if(name + ".block_count"));
    TRY(const auto width, file.integer_if(name + ".embedding_length"));
    TRY(const auto heads, file.integer_if(name + ".attention.head_count"));
    TRY(const auto head, file.integer_if(name + ".attention.key_length"));
    const int64_t largest = name == "gemma2" ? 46 : 62;
    if (layers == largest && width && heads && *heads > 0)
      config["query_pre_attn_scalar"] = *width / *heads;
    else if (head)
      config["query_pre_attn_scalar"] = *head;
  }
  return Done{};
}

}  // namespace

Result<boost::json::object> config_of_gguf(const codec::GgufFile& file) {
  TRY(const auto name, file.text_if("general.architecture"));
  TRY(const auto type, file.text_if("general.type"));
  if (type == "adapter")
    return fail(Reason::bad_request,
                fmt::format("the GGUF file is an adapter, which changes a model of architecture '{}'",
                            name.value_or("").substr(0, 60)));
  const GgufArchitecture* architecture = gguf_architecture(name.value_or(""));
  if (architecture == nullptr)
    return fail(Reason::model_unsupported, fmt::format("GGUF models of architecture '{}' are not supported",
                                                       name.value_or("").substr(0, 60)));
  const std::string at = std::string(architecture->name) + ".";
  boost::json::object config{{"model_type", architecture->family}};
  config["architectures"] = boost::json::array{"ModelForCausalLM"};
  for (const auto& [theirs, ours] : gguf_number_keys())
    TRY_DONE(copy_number(file, at + std::string(theirs), ours, config));
  for (const auto& [theirs, ours] : read_keys)
    TRY_DONE(copy_number(file, at + std::string(theirs), ours, config));
  TRY_DONE(copy_rope(file, at, config));
  const codec::GgufTensor* words = file.find_tensor("token_embd.weight");
  if (words == nullptr || words->dimensions.size() != 2)
    return fail(Reason::bad_request, "the file has no table of tokens (token_embd.weight)");
  config["vocab_size"] = static_cast<int64_t>(words->dimensions[1]);
  config["tie_word_embeddings"] = file.find_tensor("output.weight") == nullptr;
  // Biases are there or not; the file does not say so otherwise.
  config["attention_bias"] = has(file, "blk.0.attn_q.bias") || has(file, "blk.0.attn_qkv.bias");
  config["mlp_bias"] = file.find_tensor("blk.0.ffn_down.bias") != nullptr;
  TRY_DONE(add_unsaid(file, std::string(architecture->name), config));
  TRY(const auto turning, file.integer_if(at + "rope.dimension_count"));
  TRY(const auto width, file.integer_if(at + "embedding_length"));
  TRY(const auto heads, file.integer_if(at + "attention.head_count"));
  if (width && heads && *heads > 0 && *width > 0 && !config.contains("head_dim"))
    config["head_dim"] = *width / *heads;  // Whatever the family's usual one is.
  TRY(const auto head, codec::json_integer_if(config, "head_dim"));
  if (turning && head && *head > 0)
    config["partial_rotary_factor"] = static_cast<double>(*turning) / static_cast<double>(*head);
  return config;
}

Result<std::unique_ptr<GgufWeights>> GgufWeights::open(io::Disk& disk, const io::Path& file) {
  std::unique_ptr<GgufWeights> out(new GgufWeights());
  TRY(out->bytes_, disk.map(file));
  TRY(codec::GgufFile parsed, codec::GgufFile::parse(out->bytes_->bytes()));
  out->file_ = std::make_unique<codec::GgufFile>(std::move(parsed));
  TRY_DONE(out->read_plan());
  for (const codec::GgufTensor& tensor : out->file_->tensors()) TRY_DONE(out->add(tensor));
  return out;
}

// What no layer of ours reads must not have changed what it computes.
Status GgufWeights::pass_over(std::string_view name) const {
  if (!name.starts_with("blk.")) return Done{};
  const std::string_view rest = name.substr(4);
  size_t layer = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), layer);
  if (error == std::errc{} && layer >= plan_.layers.size()) return Done{};  // Predicts further tokens.
  for (const std::string_view harmless : {"rope_freqs", "attn_rot_embd", "rotary"})
    if (name.find(harmless) != std::string_view::npos) return Done{};
  return fail(Reason::model_unsupported,
              fmt::format("the file's '{}' is not known in this architecture", name.substr(0, 80)));
}

Status GgufWeights::add(const codec::GgufTensor& tensor) {
  BlockView view{tensor.type, {tensor.dimensions.rbegin(), tensor.dimensions.rend()}, tensor.bytes};
  if (!expert_name_from_gguf(plan_, tensor.name, 0).empty()) {
    // All experts of a layer in one tensor, one after the other.
    const size_t count = plan_.experts->count;
    if (view.shape.size() != 3 || view.shape[0] != count || view.bytes.size() % count != 0)
      return fail(Reason::bad_request, fmt::format("'{}' does not hold {} experts", tensor.name, count));
    const size_t each = view.bytes.size() / count;
    if (each == 0 || tensors_.size() + count > tensors_max)
      return fail(Reason::bad_request, "the file names more experts than a model has");
    for (size_t i = 0; i < count; ++i)
      tensors_.emplace(
          expert_name_from_gguf(plan_, tensor.name, i),
          BlockView{view.type, {view.shape[1], view.shape[2]}, view.bytes.subspan(i * each, each)});
    return Done{};
  }
  std::string name = name_from_gguf(plan_, tensor.name);
  if (name.empty()) return pass_over(tensor.name);
  if (plan_.experts && tensor.name.ends_with("ffn_gate_inp_shexp.weight") && view.shape.size() == 1)
    view.shape.insert(view.shape.begin(), 1);  // One gate, as a row.
  tensors_.emplace(std::move(name), std::move(view));
  return Done{};
}

const BlockView* GgufWeights::find(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  return found == tensors_.end() ? nullptr : &found->second;
}

// What converters keep as tensors: Llama 3's stretched frequencies as divisors, Phi 3's two lists.
Status GgufWeights::read_stored_factors(DecoderPlan& plan) const {
  const auto factors = [&](std::string_view name, std::vector<float>& into) -> Status {
    const codec::GgufTensor* tensor = file_->find_tensor(name);
    if (tensor == nullptr) return Done{};
    TRY(into, tensor::widen_blocks(tensor->type, tensor->bytes, tensor->elements));
    for (const RopeSpec& rope : plan.ropes)
      if (into.size() != rope.dims / 2)
        return fail(Reason::bad_request,
                    fmt::format("'{}' has {} factors where {} belong", name, into.size(), rope.dims / 2));
    for (const float factor : into)
      if (!(factor > 0) || !std::isfinite(factor))
        return fail(Reason::bad_request, fmt::format("'{}' holds a factor that cannot be", name));
    return Done{};
  };
  std::vector<float> divisors, shorter, longer;
  TRY_DONE(factors("rope_freqs.weight", divisors));
  TRY_DONE(factors("rope_factors_short.weight", shorter));
  TRY_DONE(factors("rope_factors_long.weight", longer));
  TRY(const auto name, file_->text_if("general.architecture"));
  const std::string at = std::string(name.value_or("")) + ".rope.scaling.";
  TRY(const auto original, file_->integer_if(at + "original_context_length"));
  TRY(const auto attention, file_->number_if(at + "attn_factor"));
  for (RopeSpec& rope : plan.ropes) {
    if (!divisors.empty()) shorter = longer = divisors;  // The same at every length.
    if (shorter.empty() || longer.empty()) continue;
    rope.kind = RopeSpec::Kind::longrope;
    rope.short_factors = shorter;
    rope.long_factors = longer;
    if (original && *original > 0) rope.original_positions = static_cast<size_t>(*original);
    rope.attention_factor = attention.value_or(1);
  }
  return Done{};
}

Status GgufWeights::read_plan() {
  TRY(const boost::json::object config, config_of_gguf(*file_));
  TRY(DecoderPlan plan, plan_decoder(config));
  TRY(const auto name, file_->text_if("general.architecture"));
  const GgufArchitecture& architecture = *gguf_architecture(name.value_or(""));  // config_of_gguf found it.
  ConvertedBase converted{.architecture = std::string(architecture.name),
                          .prefixes = std::move(plan.prefixes),
                          .joined_order = plan.joined_order};
  // The part for text of what also sees is a file of its own.
  for (const char* prefix : {"model.language_model.", "language_model.model."})
    converted.prefixes.emplace_back(prefix);
  for (RopeSpec& rope : plan.ropes) {
    converted.turned |= rope.pairs != architecture.pairs;
    rope.pairs = architecture.pairs;
  }
  TRY_DONE(read_stored_factors(plan));
  if (architecture.adds_one && plan.norm == DecoderPlan::NormKind::layer_plus_one) {
    plan.norm = DecoderPlan::NormKind::layer;
  } else if (architecture.adds_one) {
    plan.norm = DecoderPlan::NormKind::root_mean_square;
    plan.head_norm_kind = DecoderPlan::NormKind::root_mean_square;
  }
  plan.joined_order = DecoderPlan::JoinedOrder::blocks;  // Converters bring them all into it.
  if (plan.experts) plan.experts->layout = ExpertsPlan::Layout::each;
  plan.prefixes.clear();
  plan.order = DecoderPlan::WeightOrder::outputs_first;
  converted_ = std::move(converted);
  plan_ = std::move(plan);
  return Done{};
}

}  // namespace holdfast::model
