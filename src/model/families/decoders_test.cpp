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
