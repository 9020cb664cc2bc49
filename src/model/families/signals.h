#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <span>
#include <string_view>

#include "model/signal_model.h"
#include "tensor/precision.h"

namespace holdfast::model {

// A family that reads images or sounds, by the model_type of its config.json.
struct SignalFamily {
  std::string_view model_type;
  Result<std::unique_ptr<SignalModel>> (*open)(const boost::json::object& config, tensor::Weights weights,
                                               tensor::Compute compute);
};

// One each, as `open` above.
using OpenedSignal = Result<std::unique_ptr<SignalModel>>;
OpenedSignal open_beit(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_clip(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_convnext(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_detr(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_dinov2(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_regnet(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_resnet(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_swin(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_yolos(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_vit(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_audio_spectrogram_transformer(const boost::json::object& json, tensor::Weights weights,
                                                tensor::Compute compute);
OpenedSignal open_data2vec_audio(const boost::json::object& json, tensor::Weights weights,
                                 tensor::Compute compute);
OpenedSignal open_hubert(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_unispeech(const boost::json::object& json, tensor::Weights weights,
                            tensor::Compute compute);
OpenedSignal open_unispeech_sat(const boost::json::object& json, tensor::Weights weights,
                                tensor::Compute compute);
OpenedSignal open_wav2vec2(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_wavlm(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);
OpenedSignal open_whisper(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute);

std::span<const SignalFamily> signal_families();
const SignalFamily* find_signal_family(std::string_view model_type);  // Null when there is none.

}  // namespace holdfast::model
