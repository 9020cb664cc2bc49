#include "model/families/encoders.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr EncoderFamily families[] = {
    {"albert", plan_albert},
    {"bert", plan_bert},
    {"big_bird", plan_big_bird},
    {"camembert", plan_roberta},
    {"canine", plan_canine},
    {"convbert", plan_convbert},
    {"data2vec-text", plan_roberta},
    {"deberta", plan_deberta},
    {"deberta-v2", plan_deberta_v2},
    {"distilbert", plan_distilbert},
    {"dpr", plan_dpr},
    {"electra", plan_electra},
    {"ernie", plan_ernie},
    {"esm", plan_esm},
    {"esmc", plan_esmc},
    {"eurobert", plan_eurobert},
    {"flaubert", plan_flaubert},
    {"fnet", plan_fnet},
    {"funnel", plan_funnel},
    {"gte", plan_gte},
    {"ibert", plan_ibert},
    {"jina_embeddings_v3", plan_jina_embeddings_v3},
    {"layoutlm", plan_layoutlm},
    {"longformer", plan_longformer},
    {"longt5", plan_longt5_encoder},
    {"luke", plan_luke},
    {"megatron-bert", plan_megatron_bert},
    {"mobilebert", plan_mobilebert},
    {"modernbert", plan_modernbert},
    {"mpnet", plan_mpnet},
    {"mt5", plan_t5_encoder},
    {"nomic_bert", plan_nomic_bert},
    {"nystromformer", plan_nystromformer},
    {"rembert", plan_rembert},
    {"roberta", plan_roberta},
    {"roberta-prelayernorm", plan_roberta_prelayernorm},
    {"roformer", plan_roformer},
    {"splinter", plan_splinter},
    {"squeezebert", plan_squeezebert},
    {"static_embedding", plan_static_embedding},
    {"switch_transformers", plan_switch_encoder},
    {"t5", plan_t5_encoder},
    {"ultrabert", plan_ultrabert},
    {"umt5", plan_t5_encoder},
    {"xlm", plan_xlm},
    {"xlm-roberta", plan_roberta},
    {"xlm-roberta-xl", plan_xlm_roberta_xl},
    {"xlnet", plan_xlnet},
    {"xmod", plan_xmod},
};

}  // namespace

std::span<const EncoderFamily> encoder_families() { return families; }

const EncoderFamily* find_encoder_family(std::string_view model_type) {
  for (const EncoderFamily& family : families)
    if (family.model_type == model_type) return &family;
  return nullptr;
}

Result<EncoderPlan> plan_encoder(const boost::json::object& config) {
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  const EncoderFamily* family = find_encoder_family(type);
  if (family == nullptr)
    return fail(Reason::model_unsupported,
                fmt::format("models of type '{}' are not supported", type.substr(0, 60)));
  ConfigReader reader(config);
  EncoderPlan plan;
  plan.family = type;
  family->plan(reader, plan);
  TRY_DONE(reader.status());
  return plan;
}

}  // namespace holdfast::model
