#include <boost/json/object.hpp>

#include "codec/json.h"
#include "model/families/signals.h"
#include "model/families/speech_parts.h"
#include "model/sound/speech_model.h"

namespace holdfast::model {
namespace {

Result<std::unique_ptr<SignalModel>> open_planned(ConfigReader& config, SpeechPlan plan,
                                                  tensor::Weights weights, tensor::Compute compute) {
  TRY_DONE(config.status());
  TRY(plan.encoder.family, codec::json_text(config.json(), "model_type"));
  return SpeechModel::open(std::move(plan), std::move(weights), compute);
}

Result<std::unique_ptr<SignalModel>> open_as_wav2vec2(const boost::json::object& json,
                                                      std::string_view prefix, tensor::Weights weights,
                                                      tensor::Compute compute) {
  ConfigReader config(json);
  SpeechPlan plan;
  plan_as_wav2vec2(config, plan, prefix);
  return open_planned(config, std::move(plan), std::move(weights), compute);
}

}  // namespace

Result<std::unique_ptr<SignalModel>> open_wav2vec2(const boost::json::object& json, tensor::Weights weights,
                                                   tensor::Compute compute) {
  return open_as_wav2vec2(json, "wav2vec2.", std::move(weights), compute);
}

Result<std::unique_ptr<SignalModel>> open_unispeech(const boost::json::object& json, tensor::Weights weights,
                                                    tensor::Compute compute) {
  return open_as_wav2vec2(json, "unispeech.", std::move(weights), compute);
}

Result<std::unique_ptr<SignalModel>> open_unispeech_sat(const boost::json::object& json,
                                                        tensor::Weights weights, tensor::Compute compute) {
  return open_as_wav2vec2(json, "unispeech_sat.", std::move(weights), compute);
}

// Frames may go to the encoder as they are, and their neighbours through a norm over batches.
Result<std::unique_ptr<SignalModel>> open_hubert(const boost::json::object& json, tensor::Weights weights,
                                                 tensor::Compute compute) {
  ConfigReader config(json);
  SpeechPlan plan;
  plan_as_wav2vec2(config, plan, "hubert.");
  plan.feature_norm = config.flag({"feat_proj_layer_norm"}, true);
  plan.positions.batch_norm = config.flag({"conv_pos_batch_norm"}, false);
  plan.answers_features = false;
  plan.adapter.reset();
  return open_planned(config, std::move(plan), std::move(weights), compute);
}

// The first layer's bias by distance for all of them, and what each token lets through.
Result<std::unique_ptr<SignalModel>> open_wavlm(const boost::json::object& json, tensor::Weights weights,
                                                tensor::Compute compute) {
  ConfigReader config(json);
  SpeechPlan plan;
  plan_as_wav2vec2(config, plan, "wavlm.");
  const size_t buckets = config.size({"num_buckets"}, 320, 1 << 20);
  plan.encoder.distance_bias = DistanceBias{"encoder.layers.0.attention.rel_attn_embed", buckets, buckets,
                                            config.size({"max_bucket_distance"}, 800, 1 << 20)};
  plan.encoder.distance_gate = DistanceGate{"attention.gru_rel_pos_linear", "attention.gru_rel_pos_const"};
  return open_planned(config, std::move(plan), std::move(weights), compute);
}

// Several small convolutions over neighbours; norms of frames and after the branches whatever the keys say.
Result<std::unique_ptr<SignalModel>> open_data2vec_audio(const boost::json::object& json,
                                                         tensor::Weights weights, tensor::Compute compute) {
  boost::json::object fixed = json;
  fixed["feat_extract_norm"] = "layer";
  fixed["do_stable_layer_norm"] = false;
  ConfigReader config(fixed);
  SpeechPlan plan;
  plan_as_wav2vec2(config, plan, "data2vec_audio.");
  plan.positions.layers = config.size({"num_conv_pos_embeddings"}, 5, 64);
  plan.positions.kernel = config.size({"conv_pos_kernel_size"}, 19, 1'024);
  return open_planned(config, std::move(plan), std::move(weights), compute);
}

}  // namespace holdfast::model
