#include <boost/json/object.hpp>
#include <cmath>
#include <optional>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// Queries that grow with the distance from the beginning, in every layer.
void read_temperature(ConfigReader& config, DecoderPlan& plan, size_t floor_by_default) {
  const boost::json::object* part = config.object("rope_parameters");
  if (part == nullptr) part = config.object("rope_scaling");
  static const boost::json::object nothing;
  ConfigReader rope(part != nullptr ? *part : nothing);
  plan.temperature_everywhere = true;
  plan.temperature_scale = rope.number({"llama_4_scaling_beta"}, part == nullptr ? 0.1 : 0);
  plan.temperature_floor = rope.size({"original_max_position_embeddings"}, floor_by_default, 1 << 30);
  if (plan.temperature_scale == 0) plan.temperature_floor = 0;
  if (!rope.status().ok()) config.refuse(rope.status().error());
  if (part != nullptr) return;
  RopeSpec& spec = plan.ropes[0];  // What its class has where config.json has nothing.
  spec.kind = RopeSpec::Kind::yarn;
  spec.original_positions = floor_by_default;
}

}  // namespace

// Mistral whose queries grow with the distance.
void plan_ministral3(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(
      config, plan,
      {.epsilon = 1e-5, .key_heads = 8, .head_width = 128, .positions = 262'144, .inner = 14'336});
  add_rope(config, plan, {});
  if (!config.has("rope_parameters") && !config.has("rope_scaling")) {
    plan.ropes[0].theta = 1'000'000;
    plan.ropes[0].factor = 16;
  }
  read_temperature(config, plan, 16'384);
  set_windows(config, plan, read_window(config, 0), [](size_t, size_t) { return true; });
}

// The same queries before DeepSeek's compressed keys; experts by softmax.
void plan_mistral4(ConfigReader& config, DecoderPlan& plan) {
  // Here partial_rotary_factor is of whole heads, there of the part that turns.
  boost::json::object rest = config.json();
  std::optional<double> part;
  for (const char* name : {"rope_parameters", "rope_scaling"})
    if (boost::json::value* found = rest.if_contains(name); found != nullptr && found->is_object()) {
      if (ConfigReader rope(found->get_object()); rope.has("partial_rotary_factor"))
        part = rope.number({"partial_rotary_factor"}, 0);
      found->get_object().erase("partial_rotary_factor");
    }
  rest.erase("partial_rotary_factor");
  ConfigReader reader(rest);
  plan_deepseek_attention(reader, plan);
  if (!reader.status().ok()) config.refuse(reader.status().error());
  const auto turned = static_cast<double>(plan.latent->rotary_width);
  if (part && std::abs(*part * static_cast<double>(plan.head_width) - turned) > 0.5)
    config.refuse(fail(Reason::bad_request,
                       "config.json: partial_rotary_factor is not the share that qk_rope_head_dim is"));
  if (config.flag({"rope_interleave"}, true)) plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  if (!config.has("rope_parameters") && !config.has("rope_scaling")) {
    const float magnitude = 0.1F * std::log(128.0F) + 1.0F;
    plan.ropes[0].factor = 128;
    plan.scale *= magnitude * magnitude;
  }
  read_temperature(config, plan, 8'192);
  add_grouped_experts(config, plan, {.count = 128, .picked = 4, .inner = 2'048, .factor = 1});
  plan.experts->scores =
      plan.experts->groups > 1 ? ExpertsPlan::Scores::softmax_by_pairs : ExpertsPlan::Scores::softmax;
}

}  // namespace holdfast::model
