#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT that knows where on a page each token stands; texts of no page stand at 0.
void plan_layoutlm(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  plan.prefixes = {"layoutlm."};
  plan.boxes = BoxTables{.rows = config.size({"max_2d_position_embeddings"}, 1'024, 1 << 20),
                         .across = "embeddings.x_position_embeddings",
                         .down = "embeddings.y_position_embeddings",
                         .height = "embeddings.h_position_embeddings",
                         .width = "embeddings.w_position_embeddings"};
}

}  // namespace holdfast::model
