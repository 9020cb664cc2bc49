#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// A bias by distance, shared by all layers, beside positions that count past padding; no token types.
void plan_mpnet(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.types = 0;
  plan.prefixes = {"mpnet."};
  name_as_bert(plan);
  plan.query = "attention.attn.q";
  plan.key = "attention.attn.k";
  plan.value = "attention.attn.v";
  plan.attention_out = "attention.attn.o";
  plan.attention_norm = "attention.LayerNorm";
  add_layers(plan, "encoder.layer.", layers);
  plan.position_kind = EncoderPlan::Positions::past_padding;
  plan.pad_id = 1;  // Whatever config.json says, as in transformers.
  add_position_table(config, plan, 2);
  // The table has the configured rows, yet distances always fall into 32 buckets, as in transformers.
  plan.distance_bias = DistanceBias{.table = "encoder.relative_attention_bias",

                                    .rows = config.size({"relative_attention_num_buckets"}, 32, 4'096)};
  HeadNames heads;
  heads.has_pooler = plan.head == Head::none;
  heads.pooled = plan.head == Head::sequence_classification
                     ? HeadStep{"classifier.dense", plan.width, Activation::tanh}
                     : HeadStep{"pooler.dense", plan.width, Activation::tanh};
  heads.classifier = "classifier.out_proj";
  heads.fill_mask = {{"lm_head.dense", plan.width, Activation::gelu, "lm_head.layer_norm"},
                     {.linear = "lm_head.decoder",
                      .outputs = plan.vocabulary,
                      .tied = plan.words,
                      .bias_name = "lm_head.bias"}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
