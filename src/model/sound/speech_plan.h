#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/encoder_plan.h"
#include "model/signal_model.h"
#include "model/sound/position_convolution.h"
#include "model/sound/wave_features.h"

namespace holdfast::model {

// What config.json of a model that reads samples asks for (wav2vec 2.0 and its likes): convolutions that make
// frames, neighbours in place of positions, the shared encoder block, and a head. A family file fills it in.
struct SpeechPlan {
  enum class Head : uint8_t { none, letters, sequence, frames, voice };
  // Convolutions after the encoder that make fewer frames.
  struct Adapter {
    size_t width = 0, kernel = 3, stride = 2, layers = 3;
  };
  struct VoiceLayer {
    size_t width = 0, kernel = 1, dilation = 1;
  };

  WaveFeaturesPlan features;
  bool feature_norm = true;      // Before they are projected.
  bool answers_features = true;  // extract_features beside last_hidden_state.
  PositionConvolutionPlan positions;
  EncoderPlan encoder;
  std::optional<Adapter> adapter;
  Head head = Head::none;
  bool weighs_layers = false;  // The head reads a mean of all layers' outputs.
  size_t vocabulary = 0;       // Of letters.
  size_t projected = 0;        // Before the classifier of sequences.
  std::vector<VoiceLayer> voice_layers;
  size_t voice_width = 0;
  SignalPurpose purpose;
  std::vector<std::string> prefixes;
};

}  // namespace holdfast::model
