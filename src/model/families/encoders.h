#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string_view>

#include "model/encoder_plan.h"

namespace holdfast::model {

// A family of encoders by the model_type of its config.json. One file each: it maps config keys and tensor
// names onto the shared block and states its departures.
struct EncoderFamily {
  std::string_view model_type;
  void (*plan)(ConfigReader& config, EncoderPlan& plan);
};

void plan_albert(ConfigReader& config, EncoderPlan& plan);
void plan_bert(ConfigReader& config, EncoderPlan& plan);
void plan_big_bird(ConfigReader& config, EncoderPlan& plan);
void plan_canine(ConfigReader& config, EncoderPlan& plan);
void plan_convbert(ConfigReader& config, EncoderPlan& plan);
void plan_deberta(ConfigReader& config, EncoderPlan& plan);
void plan_deberta_v2(ConfigReader& config, EncoderPlan& plan);
void plan_distilbert(ConfigReader& config, EncoderPlan& plan);
void plan_dpr(ConfigReader& config, EncoderPlan& plan);
void plan_electra(ConfigReader& config, EncoderPlan& plan);
void plan_ernie(ConfigReader& config, EncoderPlan& plan);
void plan_esm(ConfigReader& config, EncoderPlan& plan);
void plan_esmc(ConfigReader& config, EncoderPlan& plan);
void plan_eurobert(ConfigReader& config, EncoderPlan& plan);
void plan_flaubert(ConfigReader& config, EncoderPlan& plan);
void plan_fnet(ConfigReader& config, EncoderPlan& plan);
void plan_funnel(ConfigReader& config, EncoderPlan& plan);
void plan_gte(ConfigReader& config, EncoderPlan& plan);
void plan_ibert(ConfigReader& config, EncoderPlan& plan);
void plan_jina_embeddings_v3(ConfigReader& config, EncoderPlan& plan);
void plan_layoutlm(ConfigReader& config, EncoderPlan& plan);
void plan_longformer(ConfigReader& config, EncoderPlan& plan);
void plan_longt5_encoder(ConfigReader& config, EncoderPlan& plan);
void plan_luke(ConfigReader& config, EncoderPlan& plan);
void plan_megatron_bert(ConfigReader& config, EncoderPlan& plan);
void plan_mobilebert(ConfigReader& config, EncoderPlan& plan);
void plan_modernbert(ConfigReader& config, EncoderPlan& plan);
void plan_mpnet(ConfigReader& config, EncoderPlan& plan);
void plan_nomic_bert(ConfigReader& config, EncoderPlan& plan);
void plan_nystromformer(ConfigReader& config, EncoderPlan& plan);
void plan_rembert(ConfigReader& config, EncoderPlan& plan);
void plan_roberta(ConfigReader& config, EncoderPlan& plan);
void plan_roberta_prelayernorm(ConfigReader& config, EncoderPlan& plan);
void plan_roformer(ConfigReader& config, EncoderPlan& plan);
void plan_splinter(ConfigReader& config, EncoderPlan& plan);
void plan_squeezebert(ConfigReader& config, EncoderPlan& plan);
void plan_static_embedding(ConfigReader& config, EncoderPlan& plan);
void plan_switch_encoder(ConfigReader& config, EncoderPlan& plan);
void plan_ultrabert(ConfigReader& config, EncoderPlan& plan);
void plan_xlm_roberta_xl(ConfigReader& config, EncoderPlan& plan);
void plan_xlm(ConfigReader& config, EncoderPlan& plan);
void plan_xlnet(ConfigReader& config, EncoderPlan& plan);
void plan_xmod(ConfigReader& config, EncoderPlan& plan);
void plan_t5_encoder(ConfigReader& config, EncoderPlan& plan);

std::span<const EncoderFamily> encoder_families();
const EncoderFamily* find_encoder_family(std::string_view model_type);  // Null when there is none.

// bad_request for sizes that cannot be, model_unsupported for what no family of ours does.
Result<EncoderPlan> plan_encoder(const boost::json::object& config);

}  // namespace holdfast::model
