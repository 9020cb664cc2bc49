#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// DeepSeek V3's attention; experts by softmax, of all or of the best groups.
void plan_deepseek_v2(ConfigReader& config, DecoderPlan& plan) {
  plan_deepseek_attention(config, plan);
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  add_grouped_experts(
      config, plan,
      {.count = 64, .picked = 6, .inner = 1'407, .factor = 1, .shared = 2, .normalized = false});
  ExpertsPlan& experts = *plan.experts;
  experts.normalized = false;  // Read by its configuration, used by no layer of it.
  const std::string method = config.text({"topk_method"}, "greedy");
  if (method != "greedy" && method != "group_limited_greedy")
    config.refuse(fail(Reason::model_unsupported, "config.json: the topk_method is not known"));
  experts.scores = method == "greedy" ? ExpertsPlan::Scores::softmax : ExpertsPlan::Scores::softmax_grouped;
  if (method == "greedy") experts.groups = experts.groups_picked = 1;
}

}  // namespace holdfast::model
