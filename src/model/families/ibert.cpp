#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// RoBERTa trained to run on whole numbers, here on floats as its checkpoints ask by default.
void plan_ibert(ConfigReader& config, EncoderPlan& plan) {
  plan_roberta(config, plan);
  plan.prefixes = {"ibert."};
  if (config.flag({"quant_mode"}, false))
    config.refuse(fail(Reason::model_unsupported, "I-BERT's whole numbers (quant_mode) are not supported"));
}

}  // namespace holdfast::model
