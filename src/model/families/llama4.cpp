#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

namespace {

// 1 for layers that turn.
std::vector<bool> turning_layers(ConfigReader& config, size_t layers) {
  const size_t every = config.size({"no_rope_layer_interval"}, 4, 1'024);
  const boost::json::array* given = config.array("no_rope_layers");
  std::vector<bool> out(layers);
  if (given != nullptr && !given->empty() && given->size() < layers)
    config.refuse(fail(Reason::bad_request, "config.json: no_rope_layers is not one a layer"));
  for (size_t i = 0; i < layers; ++i) {
    out[i] = (i + 1) % every != 0;
    if (given != nullptr && given->size() >= layers)
      out[i] = (*given)[i].is_int64() && (*given)[i].get_int64() != 0;
  }
  return out;
}

// Layers that layer_types calls chunked; where it is absent, those that turn.
void set_chunks(ConfigReader& config, DecoderPlan& plan, const std::vector<bool>& turning) {
  const boost::json::value* size = config.json().if_contains("attention_chunk_size");
  const bool none = size != nullptr && size->is_null();
  const size_t chunk = none ? 0 : config.size({"attention_chunk_size"}, 8'192, 1 << 30);
  const boost::json::array* types = config.array("layer_types");
  if (types != nullptr && types->size() != plan.layers.size()) {
    config.refuse(fail(Reason::bad_request, "config.json: layer_types is not one a layer"));
    types = nullptr;
  }
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    bool chunked = turning[i];
    if (types != nullptr) {
      const std::string_view name =
          (*types)[i].is_string() ? std::string_view((*types)[i].get_string()) : std::string_view();
      chunked = name == "chunked_attention";
      if (!chunked && name != "full_attention")
        config.refuse(
            fail(Reason::model_unsupported, "config.json: layer_types has a kind that is not known"));
    }
    if (chunked && none)
      config.refuse(fail(Reason::bad_request, "config.json: attention_chunk_size is missing"));
    plan.layers[i].chunk = chunked ? chunk : 0;
  }
}

void place_llama4_experts(ConfigReader& config, DecoderPlan& plan) {
  const size_t step = config.size({"interleave_moe_layer_step"}, 1, 1'024);
  const boost::json::array* named = config.array("moe_layers");
  for (size_t i = 0; i < plan.layers.size(); ++i)
    plan.layers[i].experts = named == nullptr && (i + 1) % step == 0;
  if (named == nullptr) return;
  for (const boost::json::value& one : *named)
    if (one.is_int64() && one.get_int64() >= 0 && static_cast<size_t>(one.get_int64()) < plan.layers.size())
      plan.layers[static_cast<size_t>(one.get_int64())].experts = true;
}

}  // namespace

// Layers that turn see the chunk of their text alone; those that do not see all of it, their queries growing
// with the distance. Experts read tokens that their share was multiplied into.
void plan_llama4(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8, .head_width = 128});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  ExpertsPlan experts;
  experts.scores = ExpertsPlan::Scores::sigmoid_of_input;
  experts.layout = ExpertsPlan::Layout::stacked_inputs_first;
  experts.normalized = false;
  experts.count = config.size({"num_local_experts"}, 16, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 1, 1'024);
  experts.inner = experts.shared_inner = plan.inner;
  experts.router = "feed_forward.router";
  experts.experts = "feed_forward.experts";
  experts.shared = "feed_forward.shared_expert";
  plan.experts = experts;
  plan.inner = config.size({"intermediate_size_mlp"}, 16'384, 1 << 20);
  plan.gate = "feed_forward.gate_proj";
  plan.up = "feed_forward.up_proj";
  plan.down = "feed_forward.down_proj";
  place_llama4_experts(config, plan);
  add_rope(config, plan, {500'000});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  if (config.flag({"use_qk_norm"}, true)) {
    plan.head_norm = DecoderPlan::HeadNorm::each;
    plan.head_norm_turned = true;
    plan.head_norm_scales = false;
  }
  const std::vector<bool> turning = turning_layers(config, plan.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].rope = turning[i] ? 0 : -1;
  set_chunks(config, plan, turning);
  if (config.flag({"attn_temperature_tuning"}, true)) {
    plan.temperature_floor = config.size({"floor_scale"}, 8'192, 1 << 30);
    plan.temperature_scale = config.number({"attn_scale"}, 0.1);
  }
}

}  // namespace holdfast::model
