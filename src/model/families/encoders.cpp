#include "model/families/encoders.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr EncoderFamily families[] = {
    {"albert", plan_albert},
    {"bert", plan_bert},
    {"camembert", plan_roberta},
    {"data2vec-text", plan_roberta},
    {"deberta-v2", plan_deberta_v2},
    {"distilbert", plan_distilbert},
    {"electra", plan_electra},
    {"ernie", plan_ernie},
    {"megatron-bert", plan_megatron_bert},
    {"modernbert", plan_modernbert},
    {"mpnet", plan_mpnet},
    {"nomic_bert", plan_nomic_bert},
    {"roberta", plan_roberta},
    {"roberta-prelayernorm", plan_roberta_prelayernorm},
    {"xlm-roberta", plan_roberta},
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
