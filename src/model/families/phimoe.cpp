#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

namespace {

// Its rotary positions stretch as short texts do at any length, and cos and sin have a factor of their own.
void read_stretch(ConfigReader& config, RopeSpec& rope) {
  if (rope.kind == RopeSpec::Kind::plain) return;
  if (rope.kind != RopeSpec::Kind::longrope)
    return config.refuse(
        fail(Reason::model_unsupported, "config.json: rotary positions other than default and longrope"));
  const boost::json::object* part = config.object("rope_scaling");
  if (part == nullptr) part = config.object("rope_parameters");
  if (part == nullptr) return;
  ConfigReader reader(*part);
  const float brief = reader.number({"short_mscale"}, 0), lengthy = reader.number({"long_mscale"}, 0);
  if (brief <= 0 || lengthy <= 0)
    config.refuse(fail(Reason::bad_request, "config.json: short_mscale and long_mscale are missing"));
  if (brief != lengthy)
    config.refuse(fail(Reason::model_unsupported, "config.json: a long_mscale other than short_mscale"));
  rope.long_factors = rope.short_factors;
  rope.attention_factor = brief;
}

}  // namespace

// Mixtral with layer norms, its experts picked by SparseMixer.
void plan_phimoe(ConfigReader& config, DecoderPlan& plan) {
  plan_mixtral(config, plan);
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = Bias::with;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_bias = bias_if(config.flag({"lm_head_bias"}, false));
  read_stretch(config, plan.ropes[0]);
  ExpertsPlan& experts = *plan.experts;
  if (!config.has("num_local_experts")) experts.count = config.size({"num_experts"}, 16, 1'024);
  experts.scores = ExpertsPlan::Scores::sparse_mixer;
  experts.normalized = false;
  experts.nearness = 2 * config.number({"router_jitter_noise"}, 0.01);
  if (experts.picked != 2 || experts.count < 2)
    config.refuse(fail(Reason::model_unsupported, "config.json: num_experts_per_tok other than 2"));
}

}  // namespace holdfast::model
