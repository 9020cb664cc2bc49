#include <boost/json/array.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with a factor on embeddings, branches, scores and logits.
void plan_granite(ConfigReader& config, DecoderPlan& plan) {
  plan_llama(config, plan);
  plan.embedding_scale = config.number({"embedding_multiplier"}, 1);
  plan.residual_scale = config.number({"residual_multiplier"}, 1);
  plan.scale = config.number({"attention_multiplier"}, 1);
  const float divisor = config.number({"logits_scaling"}, 1);
  if (divisor == 0) config.refuse(fail(Reason::bad_request, "config.json: logits_scaling is 0"));
  plan.logit_scale = 1.0F / divisor;
}

// Near tokens alone in three layers of four, a score without a value in each head, and a theta a layer; 0
// turns nothing.
void plan_granite_swa(ConfigReader& config, DecoderPlan& plan) {
  plan_granite(config, plan);
  plan.sinks = true;
  set_windows(config, plan, read_window(config, 128), [](size_t layer, size_t) { return layer % 4 != 0; });
  const boost::json::array* thetas = config.array("layer_rope_theta");
  if (thetas == nullptr) return;
  if (thetas->size() != plan.layers.size())
    return config.refuse(fail(Reason::bad_request, "config.json: layer_rope_theta is not one a layer"));
  const RopeSpec shared = plan.ropes[0];
  plan.ropes.clear();
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const double theta = (*thetas)[i].is_number() ? (*thetas)[i].to_number<double>() : -1;
    if (theta < 0) config.refuse(fail(Reason::bad_request, "config.json: layer_rope_theta cannot be"));
    plan.layers[i].rope = -1;
    if (theta <= 0) continue;
    plan.layers[i].rope = static_cast<int>(plan.ropes.size());
    plan.ropes.push_back(shared);
    plan.ropes.back().theta = theta;
  }
}

}  // namespace holdfast::model
