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
  add_heads(config, plan, roberta_heads(plan));
}

}  // namespace holdfast::model
