#pragma once

#include <boost/json/fwd.hpp>
#include <vector>

#include "media/image.h"
#include "model/signal_parts.h"
#include "model/stage_times.h"

// The Inference API's tasks on images and sounds, one file each. bad_request where inputs do not fit,
// model_unsupported where the model has another head.
namespace holdfast::model {

struct SignalCall {
  const SignalParts& parts;
  const boost::json::value& inputs;
  const boost::json::object& parameters;
  ByteView given;  // The file; empty: it is in the inputs.
  tensor::Threads& threads;
  StageTimes* times = nullptr;  // Null: nobody asks.

  Result<media::Image> image() const;
  // At the rate the model takes. bad_request for silence of no length.
  Result<std::vector<float>> sound() const;
  // model_unsupported unless the model is for this.
  Result<const SignalModel*> expect(SignalPurpose::Task task, std::string_view name) const;
  Result<std::vector<NamedTensor>> run(const SignalModel& model, std::vector<NamedTensor> floats,
                                       std::vector<std::pair<std::string, std::vector<int64_t>>> integers,
                                       const std::vector<uint64_t>& integers_shape) const;
};

// The output of this name; corrupt where a model lacks what its purpose promises.
Result<const NamedTensor*> output_of(const std::vector<NamedTensor>& outputs, std::string_view name);
NamedTensor pixel_values(media::Pixels pixels);
NamedTensor as_tensor(const media::Features& features);

Result<boost::json::value> classify_image(const SignalCall& call);
Result<boost::json::value> classify_image_zero_shot(const SignalCall& call);
Result<boost::json::value> detect_objects(const SignalCall& call);
Result<boost::json::value> extract_image_features(const SignalCall& call);
Result<boost::json::value> classify_sound(const SignalCall& call);
Result<boost::json::value> recognize_letters(const SignalCall& call);
// By a model that writes from what it heard, as Whisper. Parameters: language, task, return_timestamps,
// prompt, those of generate(); describe: language, duration and tokens are told too.
Result<boost::json::value> write_speech(const SignalCall& call);
Result<boost::json::value> write_caption(const SignalCall& call);

}  // namespace holdfast::model
