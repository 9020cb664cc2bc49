#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string_view>

#include "model/config_reader.h"
#include "model/seq2seq_plan.h"

namespace holdfast::model {

// A family of encoder-decoder models by the model_type of its config.json.
struct Seq2SeqFamily {
  std::string_view model_type;
  void (*plan)(ConfigReader& config, Seq2SeqPlan& plan);
};

void plan_bart(ConfigReader& config, Seq2SeqPlan& plan);
void plan_blenderbot(ConfigReader& config, Seq2SeqPlan& plan);
void plan_blenderbot_small(ConfigReader& config, Seq2SeqPlan& plan);
void plan_led(ConfigReader& config, Seq2SeqPlan& plan);
void plan_longt5(ConfigReader& config, Seq2SeqPlan& plan);
void plan_m2m_100(ConfigReader& config, Seq2SeqPlan& plan);
void plan_marian(ConfigReader& config, Seq2SeqPlan& plan);
void plan_mbart(ConfigReader& config, Seq2SeqPlan& plan);
void plan_mvp(ConfigReader& config, Seq2SeqPlan& plan);
void plan_pegasus(ConfigReader& config, Seq2SeqPlan& plan);
void plan_plbart(ConfigReader& config, Seq2SeqPlan& plan);
void plan_switch_transformers(ConfigReader& config, Seq2SeqPlan& plan);
void plan_t5(ConfigReader& config, Seq2SeqPlan& plan);
void plan_vision_encoder_decoder(ConfigReader& config, Seq2SeqPlan& plan);
void plan_whisper(ConfigReader& config, Seq2SeqPlan& plan);

std::span<const Seq2SeqFamily> seq2seq_families();
const Seq2SeqFamily* find_seq2seq_family(std::string_view model_type);  // Null when there is none.
// Whether a config.json is of such a model, its decoder included: T5EncoderModel is not.
bool is_seq2seq(const boost::json::object& config);

// bad_request for sizes that cannot be, model_unsupported for what no family of ours does.
Result<Seq2SeqPlan> plan_seq2seq(const boost::json::object& config);

}  // namespace holdfast::model
