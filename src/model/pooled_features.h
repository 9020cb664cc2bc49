#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/text_model.h"

namespace holdfast::model {

// The encoder's `pooler_output` of each text, [texts, width]: what transformers' ForSequenceClassification
// puts its classifier on. Longer texts are cut. model_unsupported for a model without a pooler.
Result<std::vector<float>> pooled_features(const TextModel& model, std::span<const std::string> texts,
                                           tensor::Threads& threads);

}  // namespace holdfast::model
