#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT, whose kinds of tasks have a table where config.json asks for it.
void plan_ernie(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  plan.prefixes = {"ernie."};
  if (config.flag({"use_task_id"}, false))
    config.refuse(fail(Reason::model_unsupported, "a table of kinds of tasks is not supported"));
}

}  // namespace holdfast::model
