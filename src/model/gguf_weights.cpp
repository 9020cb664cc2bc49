#include "model/gguf_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <cmath>

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
};

// What the file says by what it holds, and what llama.cpp knows of an architecture without being told.
Status add_unsaid(const codec::GgufFile& file, const std::string& name, boost::json::object& config) {
  if (name == "llama" && has(file, "blk.0.ffn_gate_exps.weight")) config["model_type"] = "mixtral";
  if (name == "qwen3moe") config["norm_topk_prob"] = true;
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
  config["attention_bias"] = file.find_tensor("blk.0.attn_q.bias") != nullptr;
  config["mlp_bias"] = file.find_tensor("blk.0.ffn_down.bias") != nullptr;
  TRY_DONE(add_unsaid(file, std::string(architecture->name), config));
  TRY(const auto turning, file.integer_if(at + "rope.dimension_count"));
  TRY(const auto width, file.integer_if(at + "embedding_length"));
  TRY(const auto heads, file.integer_if(at + "attention.head_count"));
  if (turning && width && heads && *heads > 0 && !config.contains("head_dim"))
    config["partial_rotary_factor"] =
        static_cast<double>(*turning) * static_cast<double>(*heads) / static_cast<double>(*width);
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
  if (name.empty()) return Done{};
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
  for (RopeSpec& rope : plan.ropes) rope.pairs = architecture.pairs;
  TRY_DONE(read_stored_factors(plan));
  if (architecture.adds_one) {
    plan.norm = DecoderPlan::NormKind::root_mean_square;
    plan.head_norm_kind = DecoderPlan::NormKind::root_mean_square;
  }
  plan.prefixes.clear();
  plan.order = DecoderPlan::WeightOrder::outputs_first;
  plan_ = std::move(plan);
  return Done{};
}

}  // namespace holdfast::model
