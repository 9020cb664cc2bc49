#pragma once

#include "model/config_reader.h"
#include "model/sound/speech_plan.h"

// What families that read samples have in common.
namespace holdfast::model {

// Everything of wav2vec 2.0's configuration, under the names of its tensors; `prefix` is the bare model's.
// Families change afterwards what they do their own way.
void plan_as_wav2vec2(ConfigReader& config, SpeechPlan& plan, std::string_view prefix);

// The name of the class that `architectures` names first; empty: none.
std::string_view class_name(ConfigReader& config);

}  // namespace holdfast::model
