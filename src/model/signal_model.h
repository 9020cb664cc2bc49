#pragma once

#include <string>
#include <vector>

#include "model/padded_batch.h"
#include "tensor/weights.h"

namespace holdfast::model {

// What a checkpoint for images or sounds is for, by its head.
struct SignalPurpose {
  enum class Task : uint8_t {
    features,
    image_classification,
    zero_shot_image_classification,
    object_detection,
    audio_classification,
    speech_recognition,  // Scores of letters a frame (CTC).
  };
  Task task = Task::features;
  std::vector<std::string> labels;  // Of classification and detection, by index.
};

// A checkpoint that reads images or sounds rather than words. Owns its weights. Immutable; safe from any
// thread, each with its own Threads.
class SignalModel {
 public:
  virtual ~SignalModel() = default;

  // A call as transformers takes it: `pixel_values` [B, C, H, W] (and `pixel_mask`), `input_values` [B, S] or
  // [B, frames, bins], `input_features` [B, bins, frames], `attention_mask`. Answers have transformers' names
  // and shapes; what is answered for padding is 0. An item's bits do not depend on the batch around it, nor
  // on the number of threads. bad_request where shapes or numbers do not fit.
  virtual Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                                   tensor::Threads& threads) const = 0;
  virtual const SignalPurpose& purpose() const = 0;
};

}  // namespace holdfast::model
