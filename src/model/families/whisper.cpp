#include <boost/json/object.hpp>

#include "model/config_reader.h"
#include "model/families/encoder_parts.h"
#include "model/families/labels.h"
#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"
#include "model/families/signals.h"
#include "model/sound/spectrum_classifier.h"
#include "model/sound/spectrum_encoder.h"

namespace holdfast::model {
namespace {

constexpr float norm_epsilon = 1e-5F;

SpectrumPlan plan_spectrum(ConfigReader& config) {
  SpectrumPlan out;
  out.bins = config.size({"num_mel_bins"}, 80, 1'024);
  out.frames = config.size({"max_source_positions"}, 1'500, 1 << 20);
  EncoderPlan& plan = out.encoder;
  plan.family = "whisper";
  plan.width = plan.embedding_width = config.size({"d_model"}, 384, 16'384);
  plan.heads = config.size({"encoder_attention_heads"}, 6, 1'024);
  plan.head_width = plan.width / plan.heads;
  plan.inner = config.size({"encoder_ffn_dim"}, 1'536);
  plan.epsilon = norm_epsilon;
  plan.activation = read_activation(config, {"activation_function"}, "gelu");
  if (plan.width % plan.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.positions = plan.position_rows = out.frames;
  plan.position_table = "encoder.embed_positions";
  plan.attention_bias = Bias::if_there;  // Keys have none.
  plan.query = "self_attn.q_proj";
  plan.key = "self_attn.k_proj";
  plan.value = "self_attn.v_proj";
  plan.attention_out = "self_attn.out_proj";
  plan.attention_norm = "self_attn_layer_norm";
  plan.up = "fc1";
  plan.out = "fc2";
  plan.out_norm = "final_layer_norm";
  plan.final_norm = "encoder.layer_norm";
  add_layers(plan, "encoder.layers.", config.size({"encoder_layers"}, 4, 256));
  return out;
}

}  // namespace

// A spectrum in, words out; norms before the branches, positions of both sides stored.
void plan_whisper(ConfigReader& config, Seq2SeqPlan& plan) {
  plan.head = read_seq2seq_head(config);
  if (plan.head == Seq2SeqPlan::Head::sequence_classification)
    config.refuse(fail(Reason::model_unsupported, "Whisper as a classifier of texts is not supported"));
  read_seq2seq_ids(config, plan);
  plan.prefixes = {"model."};
  plan.language_head = "proj_out";
  const SpectrumPlan spectrum = plan_spectrum(config);
  plan.signals = [spectrum](const WeightReader& reader) -> Result<std::unique_ptr<SignalEncoder>> {
    TRY(std::unique_ptr<SignalEncoder> out, SpectrumEncoder::load(spectrum, reader));
    return out;
  };
  DecoderPlan& decoder = plan.decoder;
  const size_t width = spectrum.encoder.width;
  decoder.width = decoder.embedding_width = width;
  decoder.heads = decoder.key_heads = config.size({"decoder_attention_heads"}, 6, 1'024);
  decoder.inner = config.size({"decoder_ffn_dim"}, 1'536);
  decoder.vocabulary = config.size({"vocab_size"}, 51'865, 4'000'000);
  decoder.positions = config.size({"max_target_positions"}, 448, 1 << 20);
  decoder.activation = spectrum.encoder.activation;
  name_decoder_as_bart(config, decoder, "decoder.");
  decoder.epsilon = norm_epsilon;
  decoder.query_bias = Bias::if_there;
  decoder.words = "decoder.embed_tokens";
  decoder.position_table = "decoder.embed_positions";
  decoder.final_norm = "decoder.layer_norm";
  decoder.layers.assign(config.size({"decoder_layers"}, 4, 256), {.rope = -1});
}

Result<std::unique_ptr<SignalModel>> open_whisper(const boost::json::object& json, tensor::Weights weights,
                                                  tensor::Compute compute) {
  ConfigReader config(json);
  SpectrumClassifier::Plan plan;
  plan.spectrum = plan_spectrum(config);
  plan.weighs_layers = config.flag({"use_weighted_layer_sum"}, false);
  plan.projected = config.size({"classifier_proj_size"}, 256);
  plan.labels = read_labels(config);
  plan.prefixes = {"model."};
  TRY_DONE(config.status());
  return SpectrumClassifier::open(plan, std::move(weights), compute);
}

}  // namespace holdfast::model
