#pragma once

#include <string>
#include <vector>

#include "model/encoder_steps.h"

namespace holdfast::cli {

// Processor time of one step of one layer, of a call.
struct StepTime {
  size_t layer = 0;
  model::EncoderStep step = model::EncoderStep::embedding;
  double seconds = 0, operations = 0;
};

struct ModelProfile {
  std::string title;            // "bert, bf16 on avx512_bf16, 32 x 128 tokens"
  double peak = 0;              // Operations a second that registers reach.
  std::vector<StepTime> steps;  // Layer by layer.
  double seconds() const;
};

// A bar a layer, cut into its steps as wide as their time; one legend. Plain SVG without scripts or fonts.
std::string profile_svg(const ModelProfile& profile);

}  // namespace holdfast::cli
