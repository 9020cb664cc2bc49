#include "model/families/seq2seqs.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr Seq2SeqFamily families[] = {
    {"bart", plan_bart},
    {"blenderbot", plan_blenderbot},
    {"blenderbot-small", plan_blenderbot_small},
    {"led", plan_led},
    {"longt5", plan_longt5},
    {"m2m_100", plan_m2m_100},
    {"marian", plan_marian},
    {"mbart", plan_mbart},
    {"mt5", plan_t5},
    {"mvp", plan_mvp},
    {"pegasus", plan_pegasus},
    {"plbart", plan_plbart},
    {"switch_transformers", plan_switch_transformers},
    {"t5", plan_t5},
    {"umt5", plan_t5},
    {"vision-encoder-decoder", plan_vision_encoder_decoder},
    {"whisper", plan_whisper},
};

std::string_view class_of(const boost::json::object& config) {
  const boost::json::value* names = config.if_contains("architectures");
  if (names == nullptr || !names->is_array() || names->get_array().empty() ||
      !names->get_array()[0].is_string())
    return {};
  return names->get_array()[0].get_string();
}

}  // namespace

std::span<const Seq2SeqFamily> seq2seq_families() { return families; }

const Seq2SeqFamily* find_seq2seq_family(std::string_view model_type) {
  for (const Seq2SeqFamily& family : families)
    if (family.model_type == model_type) return &family;
  return nullptr;
}

bool is_seq2seq(const boost::json::object& config) {
  const boost::json::value* type = config.if_contains("model_type");
  return type != nullptr && type->is_string() && find_seq2seq_family(type->get_string()) != nullptr &&
         !class_of(config).ends_with("EncoderModel") && !class_of(config).ends_with("ForAudioClassification");
}

Result<Seq2SeqPlan> plan_seq2seq(const boost::json::object& config) {
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  const Seq2SeqFamily* family = find_seq2seq_family(type);
  if (family == nullptr)
    return fail(Reason::model_unsupported,
                fmt::format("models of type '{}' are not supported", type.substr(0, 60)));
  ConfigReader reader(config);
  Seq2SeqPlan plan;
  plan.family = type;
  family->plan(reader, plan);
  TRY_DONE(reader.status());
  return plan;
}

}  // namespace holdfast::model
