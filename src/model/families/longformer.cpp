#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {
namespace {

// attention_window is both sides together, of all layers or of each.
void read_windows(ConfigReader& config, EncoderPlan& plan) {
  const boost::json::value* given = config.json().if_contains("attention_window");
  const boost::json::array* each = given != nullptr && given->is_array() ? &given->get_array() : nullptr;
  const size_t all = each == nullptr ? config.size({"attention_window"}, 512, 1 << 20) : 0;
  bool fits = each == nullptr || each->size() == plan.layers.size();
  for (size_t i = 0; fits && i < plan.layers.size(); ++i) {
    int64_t window = static_cast<int64_t>(all);
    if (each != nullptr) window = (*each)[i].is_int64() ? (*each)[i].get_int64() : 0;
    fits = window > 0 && window % 2 == 0 && window <= 1 << 20;
    plan.layers[i].window = static_cast<size_t>(window / 2);
  }
  if (!fits)
    config.refuse(
        fail(Reason::bad_request,
             "config.json: attention_window must be even and above 0, one for all layers or one each"));
}

}  // namespace

// RoBERTa that sees near tokens, and for some tasks a few far ones: the first token where texts are judged,
// the question where it is answered.
void plan_longformer(ConfigReader& config, EncoderPlan& plan) {
  plan_roberta(config, plan);
  plan.prefixes = {"longformer."};
  read_windows(config, plan);
  FarSeeing far{.which = FarSeeing::Which::none,
                .query = "attention.self.query_global",
                .key = "attention.self.key_global",
                .value = "attention.self.value_global"};
  far.separator = static_cast<int64_t>(config.size_or_zero({"sep_token_id"}, 2, 4'000'000));
  if (plan.head == Head::sequence_classification) far.which = FarSeeing::Which::first;
  if (plan.head == Head::question_answering) far.which = FarSeeing::Which::question;
  if (far.which != FarSeeing::Which::none) plan.far_seeing = far;
  if (plan.head == Head::multiple_choice)
    config.refuse(fail(Reason::model_unsupported, "Longformer's multiple choice is not supported"));
}

// BART whose encoder sees near tokens only, as where nobody names tokens to be seen from far.
void plan_led(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {.position_offset = 0});
  plan.prefixes = {"led."};
  EncoderPlan& encoder = plan.encoder;
  encoder.positions = encoder.position_rows =
      config.size({"max_encoder_position_embeddings"}, 16'384, 1 << 24);
  encoder.embedding_scale = plan.decoder.embedding_scale = 1;
  encoder.query = "self_attn.longformer_self_attn.query";
  encoder.key = "self_attn.longformer_self_attn.key";
  encoder.value = "self_attn.longformer_self_attn.value";
  encoder.attention_out = "self_attn.output";
  read_windows(config, encoder);
  plan.decoder.positions = config.size({"max_decoder_position_embeddings"}, 1'024, 1 << 24);
}

}  // namespace holdfast::model
