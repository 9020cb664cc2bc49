#include "model/families/decoders.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <string>

#include "codec/json.h"
#include "io/disk.h"
#include "model/families/encoders.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {
namespace {

Result<DecoderPlan> plan_of(const std::string& more) {
  const std::string sizes =
      R"("hidden_size":16,"num_attention_heads":2,"num_key_value_heads":2,"num_hidden_layers":4,"vocab_size":30)";
  const auto config = codec::parse_json_object("{" + sizes + "," + more + "}");
  if (!config.ok()) return config.error();
  return plan_decoder(config.value());
}

TEST(DecoderFamilies, OptionsThatNoPartComputesAreRefusedByName) {
  struct Case {
    const char *config, *named;
  };
  const Case cases[] = {
      {R"("model_type":"gemma3")", "text_config"},
      {R"("model_type":"gemma3","text_config":{"model_type":"gemma3"})", "text_config"},
      {R"("model_type":"mistral3","text_config":{"model_type":"bert"})", "text_config"},
      {R"("model_type":"mistral3","text_config":{"hidden_size":-1})", "hidden_size"},
      {R"("model_type":"deepseek_v2","topk_method":"noaux_tc")", "topk_method"},
      {R"("model_type":"deepseek_v2","n_routed_experts":5,"n_group":2)", "groups of experts"},
      {R"("model_type":"mpt","attn_config":{"qk_ln":true})", "attn_config"},
      {R"("model_type":"mpt","attn_config":{"attn_type":"multiquery_attention"})", "attn_config"},
      {R"("model_type":"mpt","attn_config":{"alibi":false})", "attn_config"},
      {R"("model_type":"gpt_neo","attention_types":[[["global","local"],1]])", "one a layer"},
      {R"("model_type":"gpt_neo","attention_types":[[["global","local"],1000000000]],"num_layers":2)", ""},
      {R"("model_type":"gpt_neo","attention_types":[[[],9223372036854775807]])", "one a layer"},
      {R"("model_type":"gpt_neo","attention_layers":["global","sparse","local","local"])", "attention"},
      {R"("model_type":"gemma3_text","use_bidirectional_attention":true)", "writes no text"},
      {R"("model_type":"llama","architectures":["LlamaModel"],"use_bidirectional_attention":true)", "llama"},
      {R"("model_type":"qwen2","architectures":["Qwen2Model"],"is_causal":false)", "both directions"},
      {R"("model_type":"exaone4","layer_types":["full_attention"])", "layer_types"},
      {R"("model_type":"olmo3","layer_types":["linear_attention","a","b","c"])", "layer_types"},
      {R"("model_type":"gpt2","architectures":["GPT2DoubleHeadsModel"])", "GPT2DoubleHeadsModel"},
      {R"("model_type":"openai-gpt","afn":"tanh")", "afn"},
      {R"("model_type":"codegen")", "n_head"},
      {R"("model_type":"codegen","num_attention_heads":4)", "rotary_dim"},
      {R"("model_type":"phimoe","num_experts_per_tok":1)", "num_experts_per_tok"},
      {R"("model_type":"phimoe","rope_scaling":{"type":"linear","factor":2.0})", "longrope"},
      {R"("model_type":"phimoe","rope_scaling":{"type":"longrope","short_factor":[1,1,1,1],
           "long_factor":[1,1,1,1],"short_mscale":1.1,"long_mscale":1.2})",
       "long_mscale"},
      {R"("model_type":"llama4_text","attention_chunk_size":null)", "attention_chunk_size"},
      {R"("model_type":"llama4_text","layer_types":["a","b","c","d"])", "layer_types"},
      {R"("model_type":"llama4_text","no_rope_layers":[1])", "no_rope_layers"},
      {R"("model_type":"llama4","text_config":{"model_type":"bert"})", "text_config"},
      {R"("model_type":"hunyuan_v1_moe","moe_topk":[1,2,1,1])", "moe_topk"},
      {R"("model_type":"hunyuan_v1_moe","num_experts":[])", "num_experts"},
      {R"("model_type":"hunyuan_v1_dense","rope_scaling":{"type":"dynamic","alpha":-1.0})", "alpha"},
      {R"("model_type":"apertus","hidden_act":"unheard")", "unheard"},
      {R"("model_type":"nanochat","rope_parameters":{"rope_type":"linear","factor":2.0})", "nanochat"},
      {R"("model_type":"mistral4","rope_parameters":{"partial_rotary_factor":0.25})",
       "partial_rotary_factor"},
      {R"("model_type":"internlm3","qkv_bias":true)", "qkv_bias"},
      {R"("model_type":"iquestcoder","clip_qkv":8.0)", "clip_qkv"},
      {R"("model_type":"granite_swa","layer_rope_theta":[1.0])", "layer_rope_theta"},
      {R"("model_type":"exaone_moe","mlp_layer_types":["dense"])", "mlp_layer_types"},
      {R"("model_type":"hy_v3","mlp_layer_types":["dense","sparse","odd","dense"])", "mlp_layer_types"},
      {R"("model_type":"lfm2","layer_types":["conv","mamba","conv","conv"])", "layer_types"},
      {R"("model_type":"lfm2","layer_types":["conv"])", "layer_types"},
      {R"("model_type":"qwen3_next","linear_num_key_heads":3,"linear_num_value_heads":4)",
       "linear_num_value_heads"},
      {R"("model_type":"bamba","mamba_n_heads":3,"mamba_n_groups":2)", "groups of state spaces"},
      {R"("model_type":"granitemoehybrid","time_step_limit":[0.0,0.5])", "time_step_limit"},
      {R"("model_type":"nemotron_h","moe_latent_size":8)", "moe_latent_size"},
      {R"("model_type":"nemotron_h","hybrid_override_pattern":"M?")", "kind of layer"},
  };
  for (const auto& [config, named] : cases) {
    SCOPED_TRACE(config);
    const auto plan = plan_of(config);
    if (*named == '\0') continue;  // Bounded is enough.
    ASSERT_FALSE(plan.ok());
    EXPECT_NE(plan.error().message.find(named), std::string::npos) << plan.error().message;
  }
}

TEST(DecoderFamilies, APartInsideAnotherConfigurationHasTheSizesOfItsClassWhereItNamesNone) {
  const auto config = codec::parse_json_object(
      R"({"model_type":"gemma3","architectures":["Gemma3ForConditionalGeneration"],
          "text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text",
                         "num_hidden_layers":34,"rope_scaling":{"factor":8.0,"rope_type":"linear"},
                         "sliding_window":1024}})");
  const auto plan = plan_decoder(config.value());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan.value().heads, 8U);
  EXPECT_EQ(plan.value().key_heads, 4U);
  EXPECT_EQ(plan.value().head_width, 256U);
  EXPECT_EQ(plan.value().vocabulary, 262'208U);
  EXPECT_EQ(plan.value().positions, 131'072U);
  EXPECT_EQ(plan.value().layers[4].window, 1'024U);
  EXPECT_EQ(plan.value().layers[5].window, 0U);
  EXPECT_EQ(plan.value().ropes[0].factor, 8.0);
  EXPECT_EQ(plan.value().ropes[1].factor, 1.0);
  EXPECT_TRUE(plan.value().tied);
  EXPECT_EQ(plan.value().head_kind, DecoderPlan::Head::language);
}

TEST(DecoderFamilies, LayersWithoutAWindowHaveNoPositionsWhereTheirFamilySaysSo) {
  for (const char* family : {"cohere2", "exaone4"}) {
    SCOPED_TRACE(family);
    const auto plan = plan_of(R"("sliding_window":4,"sliding_window_pattern":2,"model_type":")" +
                              std::string(family) + "\"");
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(plan.value().layers[i].window, i % 2 == 0 ? 4U : 0U);
      EXPECT_EQ(plan.value().layers[i].rope, i % 2 == 0 ? 0 : -1);
    }
  }
  const auto whole = plan_of(R"("model_type":"exaone4","sliding_window":null)");
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(whole.value().layers[3].rope, 0) << "without windows every layer turns";
}

TEST(DecoderFamilies, APatternOfWindowsAsATextCountsForNothingWhereLayerTypesAreThere) {
  const auto plan = plan_of(R"("model_type":"exaone4","sliding_window":4,"sliding_window_pattern":"LLLG",
      "layer_types":["sliding_attention","full_attention","sliding_attention","full_attention"])");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan.value().layers[0].window, 4U);
  EXPECT_EQ(plan.value().layers[1].window, 0U);
}

TEST(DecoderFamilies, PositionsThatConfigJsonDoesNotNameAreStretchedAsTheirClassesStretchThem) {
  const auto oss = plan_of(R"("model_type":"gpt_oss","rope_theta":20000)").value().ropes[0];
  EXPECT_EQ(oss.kind, RopeSpec::Kind::yarn);
  EXPECT_EQ(oss.theta, 20'000);
  EXPECT_EQ(oss.factor, 32);
  EXPECT_FALSE(oss.whole_bounds);
  EXPECT_NEAR(oss.attention_factor, 1.3465736, 1e-6);
  const auto cwm = plan_of(R"("model_type":"cwm","rope_theta":500)").value().ropes[0];
  EXPECT_EQ(cwm.kind, RopeSpec::Kind::llama3);
  EXPECT_EQ(cwm.theta, 1'000'000) << "its class has a theta of its own beside the kind";
  EXPECT_EQ(cwm.factor, 16);
  const auto named = plan_of(R"("model_type":"cwm","rope_parameters":{"rope_theta":500.0})").value().ropes[0];
  EXPECT_EQ(named.kind, RopeSpec::Kind::plain);
  EXPECT_EQ(named.theta, 500);
}

TEST(DecoderFamilies, TransformersNeverReadsMptsGreatestSlopeButGgufHasOne) {
  const auto of = [](const char* part) {
    return plan_of(R"("model_type":"mpt","attn_config":)" + std::string(part)).value().alibi_most;
  };
  EXPECT_EQ(of(R"({"alibi_bias_max":16})"), 8);
  EXPECT_EQ(of(R"({"max_alibi_bias":16})"), 16);
}

TEST(DecoderFamilies, LlamasLayersThatTurnAreCutIntoChunksAndTheOthersSharpen) {
  const auto plan = plan_of(R"("model_type":"llama4_text","attention_chunk_size":5,"no_rope_layer_interval":2,
                               "interleave_moe_layer_step":2,"intermediate_size_mlp":24,"floor_scale":7)");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  for (size_t i = 0; i < 4; ++i) {
    const bool turns = i % 2 == 0;
    EXPECT_EQ(plan.value().layers[i].rope, turns ? 0 : -1);
    EXPECT_EQ(plan.value().layers[i].chunk, turns ? 5U : 0U);
    EXPECT_EQ(plan.value().layers[i].experts, !turns);
  }
  EXPECT_EQ(plan.value().inner, 24U);
  EXPECT_EQ(plan.value().temperature_floor, 7U);
  EXPECT_FALSE(plan.value().head_norm_scales);
}

TEST(DecoderFamilies, AFixedAlphaStretchesHunyuansRotaryPositionsAtAnyLength) {
  const auto plan = plan_of(R"("model_type":"hunyuan_v1_dense","head_dim":8,"rope_theta":1000,
                               "rope_scaling":{"type":"dynamic","alpha":8.0,"factor":1.0})");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_NEAR(plan.value().ropes[0].theta, 16'000, 1e-6);  // 8^(8 / 6) = 16
  EXPECT_EQ(plan.value().ropes[0].kind, RopeSpec::Kind::plain);
  EXPECT_TRUE(plan.value().head_norm_turned);
}

TEST(DecoderFamilies, OfGemmasAndOlmosLikesOnlyWhatIsTheirsDiffers) {
  const auto vault = plan_of(R"("model_type":"vaultgemma")").value();
  const auto gemma = plan_of(R"("model_type":"gemma2")").value();
  EXPECT_EQ(vault.inner_norm, gemma.inner_norm);
  EXPECT_TRUE(vault.attention_post_norm.empty() && vault.inner_post_norm.empty());
  EXPECT_EQ(vault.soft_cap, gemma.soft_cap);
  const auto flex = plan_of(R"("model_type":"flex_olmo","num_experts":3,"num_experts_per_tok":2)").value();
  EXPECT_EQ(flex.experts->count, 3U);
  EXPECT_FALSE(flex.experts->normalized);
  EXPECT_EQ(flex.inner_post_norm, "post_feedforward_layernorm");
  EXPECT_EQ(flex.ropes[0].theta, 500'000);
  const auto shared = plan_of(R"("model_type":"granitemoeshared","shared_intermediate_size":6)").value();
  EXPECT_EQ(shared.experts->shared_inner, 6U);
  EXPECT_EQ(shared.experts->shared_gate_up, "input_linear");
  EXPECT_TRUE(plan_of(R"("model_type":"granitemoeshared")").value().experts->shared.empty());
  const auto first = plan_of(R"("model_type":"openai-gpt","intermediate_size":10)").value();
  EXPECT_EQ(first.inner, 64U) << "no key changes it";
  EXPECT_TRUE(first.norm_after && first.final_norm.empty());
  const auto control = plan_of(R"("model_type":"ctrl","layer_norm_epsilon":0.5)").value();
  EXPECT_EQ(control.epsilon, 1e-6F);
  EXPECT_EQ(control.final_epsilon, 0.5F);
}

TEST(DecoderFamilies, QueriesOfMinistralGrowInEveryLayerByWhatItsRotaryPositionsSay) {
  const auto plan = plan_of(R"("model_type":"ministral3","head_dim":8,"rope_parameters":{"rope_type":"yarn",
      "rope_theta":1000.0,"factor":4.0,"original_max_position_embeddings":7,"llama_4_scaling_beta":0.3})");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan.value().temperature_everywhere);
  EXPECT_EQ(plan.value().temperature_floor, 7U);
  EXPECT_EQ(plan.value().temperature_scale, 0.3F);
  const auto usual = plan_of(R"("model_type":"ministral3")").value();
  EXPECT_EQ(usual.temperature_floor, 16'384U) << "what its class has";
  EXPECT_EQ(usual.ropes[0].kind, RopeSpec::Kind::yarn);
  EXPECT_EQ(usual.ropes[0].theta, 1'000'000);
}

TEST(DecoderFamilies, LayersOfNemotronAreOneThingAloneInEitherSpelling) {
  for (const char* spelled :
       {R"("hybrid_override_pattern":"M*-E")", R"("layers_block_type":["mamba","attention","mlp","moe"])",
        R"("layers_block_type":["linear_attention","full_attention","mlp","moe"])"}) {
    SCOPED_TRACE(spelled);
    const auto plan = plan_of(R"("model_type":"nemotron_h",)" + std::string(spelled));
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    const std::vector<DecoderPlan::Layer>& layers = plan.value().layers;
    ASSERT_EQ(layers.size(), 4U);
    EXPECT_TRUE(layers[0].recurrent && !layers[0].attends && !layers[0].feeds);
    EXPECT_TRUE(!layers[1].recurrent && layers[1].attends && !layers[1].feeds);
    EXPECT_TRUE(layers[2].feeds && !layers[2].attends && !layers[2].experts);
    EXPECT_TRUE(layers[3].feeds && !layers[3].attends && layers[3].experts);
  }
}

TEST(DecoderFamilies, WhichLayersCarryAStateIsSaidInEachSpelling) {
  const auto carries = [](const std::string& keys) {
    const auto plan = plan_of(keys);
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    std::string out;
    for (const DecoderPlan::Layer& layer : plan.value().layers) out += layer.recurrent ? 's' : 'a';
    return out;
  };
  EXPECT_EQ(carries(R"("model_type":"qwen3_next")"), "sssa");
  EXPECT_EQ(carries(R"("model_type":"qwen3_next","full_attention_interval":2)"), "sasa");
  EXPECT_EQ(carries(R"("model_type":"lfm2","full_attn_idxs":[1,2])"), "saas");
  EXPECT_EQ(carries(R"("model_type":"lfm2")"), "aaaa");
  EXPECT_EQ(carries(R"("model_type":"bamba","attn_layer_indices":[3])"), "sssa");
  EXPECT_EQ(carries(R"("model_type":"granitemoehybrid","layer_types":["mamba","attention","mamba","mamba"])"),
            "sass");
  EXPECT_EQ(
      carries(R"("model_type":"granitemoehybrid","layers_block_type":["mamba","attention","mamba","mamba"])"),
      "sass");
}

TEST(Families, TheDocsNameEachOfThem) {
  const auto disk = io::open_posix_disk("docs").value();
  const std::string page = io::read_text(*disk, "models.md", 1 << 20).value();
  const auto expect_named = [&](std::string_view type) {
    EXPECT_NE(page.find("`" + std::string(type) + "`"), std::string::npos) << type;
  };
  for (const DecoderFamily& family : decoder_families()) expect_named(family.model_type);
  for (const EncoderFamily& family : encoder_families()) expect_named(family.model_type);
  for (const Seq2SeqFamily& family : seq2seq_families()) expect_named(family.model_type);
}

}  // namespace
}  // namespace holdfast::model
