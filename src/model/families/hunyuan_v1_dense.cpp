#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

namespace {

// NTK's stretch by a fixed alpha, which checkpoints call dynamic.
void stretch_by_alpha(ConfigReader& config, RopeSpec& rope) {
  const boost::json::object* part = config.object("rope_scaling");
  if (part == nullptr) part = config.object("rope_parameters");
  if (part == nullptr || rope.kind != RopeSpec::Kind::dynamic) return;
  ConfigReader reader(*part);
  const double alpha = reader.number({"alpha"}, 0);
  if (alpha == 0) return;
  if (alpha < 0 || rope.dims < 4)
    return config.refuse(
        fail(Reason::bad_request, "config.json: the alpha of its rotary positions cannot be"));
  const auto dims = static_cast<double>(rope.dims);
  rope.theta *= std::pow(alpha, dims / (dims - 2));
  rope.kind = RopeSpec::Kind::plain;
}

}  // namespace

// Llama whose queries and keys are normalized after they turned.
void plan_hunyuan_v1_dense(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::each;
  plan.head_norm_turned = true;
  plan.query_norm = "self_attn.query_layernorm";
  plan.key_norm = "self_attn.key_layernorm";
  add_rope(config, plan, {});
  stretch_by_alpha(config, plan.ropes[0]);
}

}  // namespace holdfast::model
