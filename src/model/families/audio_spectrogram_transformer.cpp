#include <fmt/format.h>

#include "model/config_reader.h"
#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/signals.h"
#include "model/families/speech_parts.h"
#include "model/sound/patched_spectrum.h"

namespace holdfast::model {

Result<std::unique_ptr<SignalModel>> open_audio_spectrogram_transformer(const boost::json::object& json,
                                                                        tensor::Weights weights,
                                                                        tensor::Compute compute) {
  ConfigReader config(json);
  PatchedSpectrumPlan plan;
  plan.prefixes = {"audio_spectrogram_transformer."};
  plan.bins = config.size({"num_mel_bins"}, 128, 4'096);
  plan.frames = config.size({"max_length"}, 1'024, 1 << 20);
  plan.patch = config.size({"patch_size"}, 16, 1'024);
  plan.bin_stride = config.size({"frequency_stride"}, 10, 4'096);
  plan.frame_stride = config.size({"time_stride"}, 10, 1 << 20);
  if (plan.patch > plan.bins || plan.patch > plan.frames)
    config.refuse(fail(Reason::bad_request,
                       "config.json: patch_size is more than num_mel_bins or max_length have room for"));
  EncoderPlan& encoder = plan.encoder;
  encoder.family = "audio-spectrogram-transformer";
  encoder.width = encoder.embedding_width = config.size({"hidden_size"}, 768, 16'384);
  encoder.heads = config.size({"num_attention_heads"}, 12, 1'024);
  encoder.head_width = config.size({"head_dim"}, std::max<size_t>(1, encoder.width / encoder.heads), 16'384);
  if (encoder.width % encoder.heads != 0 && !config.has("head_dim"))
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  encoder.inner = config.size({"intermediate_size"}, 3'072);
  encoder.epsilon = config.number({"layer_norm_eps"}, 1e-12);
  encoder.activation = read_activation(config, {"hidden_act"}, "gelu");
  encoder.norm_place = EncoderPlan::NormPlace::before;
  encoder.attention_bias = config.flag({"qkv_bias"}, true) ? Bias::with : Bias::if_there;
  name_vit_layers(encoder);
  add_layers(encoder, "encoder.layer.", config.size({"num_hidden_layers"}, 12, 256));
  const std::string_view name = class_name(config);
  if (name.ends_with("ForAudioClassification")) {
    plan.classifies = true;
    plan.purpose = {SignalPurpose::Task::audio_classification, read_labels(config)};
  } else if (!name.empty() && !name.ends_with("Model")) {
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("models of class '{}' are not supported", name.substr(0, 80))));
  }
  TRY_DONE(config.status());
  return PatchedSpectrumModel::open(std::move(plan), std::move(weights), compute);
}

}  // namespace holdfast::model
