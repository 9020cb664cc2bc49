#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

namespace {

// A number, or one a layer that must all be the same.
size_t same_everywhere(ConfigReader& config, const std::vector<std::string_view>& names, size_t layers) {
  for (std::string_view name : names) {
    const boost::json::value* value = config.json().if_contains(name);
    if (value == nullptr || !value->is_array()) continue;
    const boost::json::array& all = value->get_array();
    bool same = all.size() >= layers;
    for (const boost::json::value& one : all) same = same && one.is_int64() && one == all[0];
    if (same && all[0].get_int64() > 0 && all[0].get_int64() <= 1'024)
      return static_cast<size_t>(all[0].get_int64());
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: {} that differs by layer is not supported", name)));
    return 1;
  }
  return config.size(names, 1, 1'024);
}

}  // namespace

// Experts beside one that reads every token.
void plan_hunyuan_v1_moe(ConfigReader& config, DecoderPlan& plan) {
  plan_hunyuan_v1_dense(config, plan);
  ExpertsPlan experts;
  experts.count = same_everywhere(config, {"num_experts", "num_local_experts"}, plan.layers.size());
  experts.picked = same_everywhere(config, {"moe_topk", "num_experts_per_tok"}, plan.layers.size());
  experts.inner = experts.shared_inner = plan.inner;
  experts.router = "mlp.gate.wg";
  experts.shared = "mlp.shared_mlp";
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
