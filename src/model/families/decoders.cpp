#include "model/families/decoders.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr DecoderFamily families[] = {
    {"apertus", plan_apertus},
    {"arcee", plan_arcee},
    {"bamba", plan_bamba},
    {"biogpt", plan_biogpt},
    {"bloom", plan_bloom},
    {"codegen", plan_codegen},
    {"cohere", plan_cohere},
    {"cohere2", plan_cohere2},
    {"ctrl", plan_ctrl},
    {"cwm", plan_cwm},
    {"deepseek_v2", plan_deepseek_v2},
    {"deepseek_v3", plan_deepseek_v3},
    {"dots1", plan_dots1},
    {"ernie4_5", plan_ernie4_5},
    {"ernie4_5_moe", plan_ernie4_5_moe},
    {"exaone4", plan_exaone4},
    {"exaone_moe", plan_exaone_moe},
    {"falcon", plan_falcon},
    {"falcon_h1", plan_falcon_h1},
    {"falcon_mamba", plan_falcon_mamba},
    {"flex_olmo", plan_flex_olmo},
    {"gemma", plan_gemma},
    {"gemma2", plan_gemma2},
    {"gemma3", plan_image_text},
    {"gemma3_text", plan_gemma3, true},
    {"glm", plan_glm},
    {"glm4", plan_glm4},
    {"glm4_moe", plan_glm4_moe},
    {"glm4_moe_lite", plan_glm4_moe_lite},
    {"gpt2", plan_gpt2},
    {"gpt_bigcode", plan_gpt_bigcode},
    {"gpt_neo", plan_gpt_neo},
    {"gpt_neox", plan_gpt_neox},
    {"gpt_oss", plan_gpt_oss},
    {"gptj", plan_gptj},
    {"granite", plan_granite},
    {"granite_swa", plan_granite_swa},
    {"granitemoe", plan_granitemoe},
    {"granitemoehybrid", plan_granitemoehybrid},
    {"granitemoeshared", plan_granitemoeshared},
    {"helium", plan_helium},
    {"hunyuan_v1_dense", plan_hunyuan_v1_dense},
    {"hunyuan_v1_moe", plan_hunyuan_v1_moe},
    {"hy_v3", plan_hy_v3},
    {"hyperclovax", plan_hyperclovax},
    {"internlm3", plan_internlm3},
    {"iquestcoder", plan_iquestcoder},
    {"jais2", plan_jais2},
    {"jamba", plan_jamba},
    {"lfm2", plan_lfm2},
    {"lfm2_moe", plan_lfm2_moe},
    {"llama", plan_llama},
    {"llama4", plan_image_text},
    {"llama4_text", plan_llama4},
    {"mamba", plan_mamba},
    {"mamba2", plan_mamba2},
    {"minicpm3", plan_minicpm3},
    {"minimax_m2", plan_minimax_m2},
    {"ministral", plan_mistral},
    {"ministral3", plan_ministral3},
    {"mistral", plan_mistral},
    {"mistral3", plan_image_text},
    {"mistral4", plan_mistral4},
    {"mixtral", plan_mixtral},
    {"modernbert-decoder", plan_modernbert_decoder},
    {"mpt", plan_mpt},
    {"nanochat", plan_nanochat},
    {"nemotron", plan_nemotron},
    {"nemotron_h", plan_nemotron_h},
    {"olmo", plan_olmo},
    {"olmo2", plan_olmo2},
    {"olmo3", plan_olmo3},
    {"olmoe", plan_olmoe},
    {"openai-gpt", plan_openai_gpt},
    {"openai_privacy_filter", plan_openai_privacy_filter, true},
    {"opt", plan_opt},
    {"persimmon", plan_persimmon},
    {"phi", plan_phi},
    {"phi3", plan_phi3},
    {"phimoe", plan_phimoe},
    {"qwen2", plan_qwen2},
    {"qwen2_moe", plan_qwen2_moe},
    {"qwen3", plan_qwen3},
    {"qwen3_5", plan_image_text},
    {"qwen3_5_moe", plan_image_text},
    {"qwen3_5_moe_text", plan_qwen3_5_moe},
    {"qwen3_5_text", plan_qwen3_5},
    {"qwen3_moe", plan_qwen3_moe},
    {"qwen3_next", plan_qwen3_next},
    {"seed_oss", plan_seed_oss},
    {"smollm3", plan_smollm3},
    {"solar_open", plan_solar_open},
    {"stablelm", plan_stablelm},
    {"starcoder2", plan_starcoder2},
    {"vaultgemma", plan_vaultgemma},
    {"xglm", plan_xglm},
    {"youtu", plan_youtu},
};

}  // namespace

std::span<const DecoderFamily> decoder_families() { return families; }

const DecoderFamily* find_decoder_family(std::string_view model_type) {
  for (const DecoderFamily& family : families)
    if (family.model_type == model_type) return &family;
  return nullptr;
}

Result<DecoderPlan> plan_decoder(const boost::json::object& config) {
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  const DecoderFamily* family = find_decoder_family(type);
  if (family == nullptr)
    return fail(Reason::model_unsupported,
                fmt::format("models of type '{}' are not supported", type.substr(0, 60)));
  ConfigReader reader(config);
  DecoderPlan plan;
  plan.family = type;
  family->plan(reader, plan);
  if (plan.both_ways && (!family->both_ways || plan.head_kind == DecoderPlan::Head::language))
    return fail(
        Reason::model_unsupported,
        family->both_ways
            ? "config.json: attention in both directions embeds and judges; it writes no text"
            : fmt::format("attention in both directions is not supported in models of type '{}'", type));
  // What transformers calls the trunk of some families' models that answer questions.
  if (plan.head_kind == DecoderPlan::Head::question_answering) plan.prefixes.push_back("transformer.");
  TRY_DONE(reader.status());
  return plan;
}

}  // namespace holdfast::model
