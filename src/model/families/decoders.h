#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string_view>

#include "model/config_reader.h"
#include "model/decoder_plan.h"

namespace holdfast::model {

// A family of decoders by the model_type of its config.json.
struct DecoderFamily {
  std::string_view model_type;
  void (*plan)(ConfigReader& config, DecoderPlan& plan);
  bool both_ways = false;  // Knows attention in both directions too.
};

void plan_apertus(ConfigReader& config, DecoderPlan& plan);
void plan_arcee(ConfigReader& config, DecoderPlan& plan);
void plan_bamba(ConfigReader& config, DecoderPlan& plan);
void plan_biogpt(ConfigReader& config, DecoderPlan& plan);
void plan_bloom(ConfigReader& config, DecoderPlan& plan);
void plan_codegen(ConfigReader& config, DecoderPlan& plan);
void plan_cohere(ConfigReader& config, DecoderPlan& plan);
void plan_cohere2(ConfigReader& config, DecoderPlan& plan);
void plan_ctrl(ConfigReader& config, DecoderPlan& plan);
void plan_cwm(ConfigReader& config, DecoderPlan& plan);
void plan_deepseek_attention(ConfigReader& config, DecoderPlan& plan);
void plan_deepseek_v2(ConfigReader& config, DecoderPlan& plan);
void plan_deepseek_v3(ConfigReader& config, DecoderPlan& plan);
void plan_dots1(ConfigReader& config, DecoderPlan& plan);
void plan_ernie4_5(ConfigReader& config, DecoderPlan& plan);
void plan_ernie4_5_moe(ConfigReader& config, DecoderPlan& plan);
void plan_exaone4(ConfigReader& config, DecoderPlan& plan);
void plan_exaone_moe(ConfigReader& config, DecoderPlan& plan);
void plan_falcon(ConfigReader& config, DecoderPlan& plan);
void plan_falcon_h1(ConfigReader& config, DecoderPlan& plan);
void plan_falcon_mamba(ConfigReader& config, DecoderPlan& plan);
void plan_flex_olmo(ConfigReader& config, DecoderPlan& plan);
void plan_gemma(ConfigReader& config, DecoderPlan& plan);
void plan_gemma2(ConfigReader& config, DecoderPlan& plan);
void plan_gemma3(ConfigReader& config, DecoderPlan& plan);
void plan_glm(ConfigReader& config, DecoderPlan& plan);
void plan_glm4(ConfigReader& config, DecoderPlan& plan);
void plan_glm4_moe(ConfigReader& config, DecoderPlan& plan);
void plan_glm4_moe_lite(ConfigReader& config, DecoderPlan& plan);
void plan_gpt2(ConfigReader& config, DecoderPlan& plan);
void plan_gpt_bigcode(ConfigReader& config, DecoderPlan& plan);
void plan_gpt_neo(ConfigReader& config, DecoderPlan& plan);
void plan_gpt_neox(ConfigReader& config, DecoderPlan& plan);
void plan_gpt_oss(ConfigReader& config, DecoderPlan& plan);
void plan_gptj(ConfigReader& config, DecoderPlan& plan);
void plan_granite(ConfigReader& config, DecoderPlan& plan);
void plan_granite_swa(ConfigReader& config, DecoderPlan& plan);
void plan_granitemoe(ConfigReader& config, DecoderPlan& plan);
void plan_granitemoehybrid(ConfigReader& config, DecoderPlan& plan);
void plan_granitemoeshared(ConfigReader& config, DecoderPlan& plan);
void plan_helium(ConfigReader& config, DecoderPlan& plan);
void plan_hunyuan_v1_dense(ConfigReader& config, DecoderPlan& plan);
void plan_hunyuan_v1_moe(ConfigReader& config, DecoderPlan& plan);
void plan_hy_v3(ConfigReader& config, DecoderPlan& plan);
void plan_hyperclovax(ConfigReader& config, DecoderPlan& plan);
void plan_image_text(ConfigReader& config, DecoderPlan& plan);
void plan_internlm3(ConfigReader& config, DecoderPlan& plan);
void plan_iquestcoder(ConfigReader& config, DecoderPlan& plan);
void plan_jais2(ConfigReader& config, DecoderPlan& plan);
void plan_jamba(ConfigReader& config, DecoderPlan& plan);
void plan_lfm2(ConfigReader& config, DecoderPlan& plan);
void plan_lfm2_moe(ConfigReader& config, DecoderPlan& plan);
void plan_llama(ConfigReader& config, DecoderPlan& plan);
void plan_llama4(ConfigReader& config, DecoderPlan& plan);
void plan_mamba(ConfigReader& config, DecoderPlan& plan);
void plan_mamba2(ConfigReader& config, DecoderPlan& plan);
void plan_minicpm3(ConfigReader& config, DecoderPlan& plan);
void plan_minimax_m2(ConfigReader& config, DecoderPlan& plan);
void plan_ministral3(ConfigReader& config, DecoderPlan& plan);
void plan_mistral(ConfigReader& config, DecoderPlan& plan);
void plan_mistral4(ConfigReader& config, DecoderPlan& plan);
void plan_mixtral(ConfigReader& config, DecoderPlan& plan);
void plan_modernbert_decoder(ConfigReader& config, DecoderPlan& plan);
void plan_mpt(ConfigReader& config, DecoderPlan& plan);
void plan_nanochat(ConfigReader& config, DecoderPlan& plan);
void plan_nemotron(ConfigReader& config, DecoderPlan& plan);
void plan_nemotron_h(ConfigReader& config, DecoderPlan& plan);
void plan_olmo(ConfigReader& config, DecoderPlan& plan);
void plan_olmo2(ConfigReader& config, DecoderPlan& plan);
void plan_olmo3(ConfigReader& config, DecoderPlan& plan);
void plan_olmoe(ConfigReader& config, DecoderPlan& plan);
void plan_openai_gpt(ConfigReader& config, DecoderPlan& plan);
void plan_openai_privacy_filter(ConfigReader& config, DecoderPlan& plan);
void plan_opt(ConfigReader& config, DecoderPlan& plan);
void plan_persimmon(ConfigReader& config, DecoderPlan& plan);
void plan_phi(ConfigReader& config, DecoderPlan& plan);
void plan_phi3(ConfigReader& config, DecoderPlan& plan);
void plan_phimoe(ConfigReader& config, DecoderPlan& plan);
void plan_qwen2(ConfigReader& config, DecoderPlan& plan);
void plan_qwen2_moe(ConfigReader& config, DecoderPlan& plan);
void plan_qwen3(ConfigReader& config, DecoderPlan& plan);
void plan_qwen3_5(ConfigReader& config, DecoderPlan& plan);
void plan_qwen3_5_moe(ConfigReader& config, DecoderPlan& plan);
void plan_qwen3_moe(ConfigReader& config, DecoderPlan& plan);
void plan_qwen3_next(ConfigReader& config, DecoderPlan& plan);
void plan_seed_oss(ConfigReader& config, DecoderPlan& plan);
void plan_smollm3(ConfigReader& config, DecoderPlan& plan);
void plan_solar_open(ConfigReader& config, DecoderPlan& plan);
void plan_stablelm(ConfigReader& config, DecoderPlan& plan);
void plan_starcoder2(ConfigReader& config, DecoderPlan& plan);
void plan_vaultgemma(ConfigReader& config, DecoderPlan& plan);
void plan_xglm(ConfigReader& config, DecoderPlan& plan);
void plan_youtu(ConfigReader& config, DecoderPlan& plan);

std::span<const DecoderFamily> decoder_families();
const DecoderFamily* find_decoder_family(std::string_view model_type);  // Null when there is none.

// bad_request for sizes that cannot be, model_unsupported for what no family of ours does.
Result<DecoderPlan> plan_decoder(const boost::json::object& config);

}  // namespace holdfast::model
