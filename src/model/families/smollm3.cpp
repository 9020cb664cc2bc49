#include <boost/json/array.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama where every fourth layer has no positions.
void plan_smollm3(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.tied = true, .key_heads = 4});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {2'000'000});
  const boost::json::array* turns = config.array("no_rope_layers");
  const size_t every = config.size({"no_rope_layer_interval"}, 4, 1'024);
  if (turns != nullptr && turns->size() != plan.layers.size()) {
    config.refuse(fail(Reason::bad_request, "config.json: no_rope_layers is not one a layer"));
    turns = nullptr;
  }
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    bool turn = (i + 1) % every != 0;
    if (turns != nullptr) turn = (*turns)[i].is_int64() && (*turns)[i].get_int64() != 0;
    plan.layers[i].rope = turn ? 0 : -1;
  }
  const size_t window = config.flag({"use_sliding_window"}, false) ? read_window(config, 0) : 0;
  set_windows(config, plan, window, [](size_t, size_t) { return false; });
  if (config.array("layer_types") == nullptr)
    for (DecoderPlan::Layer& layer : plan.layers) layer.window = layer.rope < 0 ? window : 0;
}

}  // namespace holdfast::model
