#pragma once

#include <memory>
#include <optional>
#include <string>

#include "media/image_processor.h"
#include "media/sound_processor.h"
#include "model/any_model.h"
#include "model/speech/speech_prompt.h"
#include "model/tasks/ctc_letters.h"
#include "token/tokenizer.h"

namespace holdfast::model {

// A folder whose model reads images or sounds, opened: the model, what makes its tensors of files, and its
// words. Immutable.
struct SignalParts {
  std::unique_ptr<const AnyModel> model;
  std::string family;        // config.json's model_type.
  std::string problem_type;  // Of config.json; may be empty.
  std::optional<media::ImageProcessor> images;
  std::optional<media::SoundProcessor> sounds;
  std::unique_ptr<const token::Tokenizer> tokenizer;  // Null: the folder has none.
  std::optional<CtcLetters> letters;                  // Of a model that scores one a frame.
  std::optional<SpeechTokens> speech;                 // Of one that writes what it heard.
  size_t samples_a_frame = 1;                         // Of such a model.
  uint32_t pad_id = 0;                                // What texts of unequal length are filled up with.
};

}  // namespace holdfast::model
