#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/base64.h"
#include "media/resample_sound.h"
#include "media/sound.h"
#include "model/tasks/signal_tasks.h"

namespace holdfast::model {

namespace {

// base64, or a data: address.
Result<Bytes> file_in(const boost::json::value& inputs) {
  if (!inputs.is_string())
    return fail(Reason::bad_request, "'inputs' is a file's bytes as base64, or as a data: address");
  std::string_view text = inputs.get_string();
  if (text.starts_with("http://") || text.starts_with("https://"))
    return fail(Reason::bad_request, "files are not fetched from elsewhere: send the bytes");
  if (text.starts_with("data:")) {
    const size_t comma = text.find(',');
    if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(";base64"))
      return fail(Reason::bad_request, "a data: address is read where it is base64");
    text.remove_prefix(comma + 1);
  }
  auto bytes = codec::base64_decode(text);
  if (!bytes.ok()) return fail(Reason::bad_request, "'inputs' is neither base64 nor a data: address");
  if (bytes.value().empty()) return fail(Reason::bad_request, "'inputs' is an empty file");
  return bytes;
}

}  // namespace

Result<media::Image> SignalCall::image() const {
  if (!parts.images)
    return fail(Reason::model_unsupported, "the model's folder does not say how it reads images");
  const StageTimer timer(times, &StageTimes::tokenize);
  if (!given.empty()) return media::decode_image(given);
  TRY(const Bytes bytes, file_in(inputs));
  return media::decode_image(bytes);
}

Result<std::vector<float>> SignalCall::sound() const {
  if (!parts.sounds)
    return fail(Reason::model_unsupported, "the model's folder does not say how it reads sounds");
  const StageTimer timer(times, &StageTimes::tokenize);
  Bytes decoded;
  if (given.empty()) {
    TRY(decoded, file_in(inputs));
  }
  TRY(media::Sound sound, media::decode_sound(given.empty() ? ByteView(decoded) : given));
  TRY(sound, media::resample(sound, parts.sounds->sampling_rate()));
  if (sound.samples.empty()) return fail(Reason::bad_request, "the sound has no length");
  return std::move(sound.samples);
}

Result<const SignalModel*> SignalCall::expect(SignalPurpose::Task task, std::string_view name) const {
  const SignalModel* model = parts.model->signal();
  if (model == nullptr || model->purpose().task != task)
    return fail(Reason::model_unsupported, fmt::format("the model is not for {}", name));
  return model;
}

Result<std::vector<NamedTensor>> SignalCall::run(
    const SignalModel& model, std::vector<NamedTensor> floats,
    std::vector<std::pair<std::string, std::vector<int64_t>>> integers,
    const std::vector<uint64_t>& integers_shape) const {
  std::vector<std::pair<std::string, tensor::TensorView>> all;
  for (const NamedTensor& one : floats)
    all.emplace_back(one.name,
                     tensor::TensorView{tensor::Dtype::f32, one.shape, std::as_bytes(std::span(one.data))});
  for (const auto& [name, values] : integers)
    all.emplace_back(
        name, tensor::TensorView{tensor::Dtype::i64, integers_shape, std::as_bytes(std::span(values))});
  const StageTimer timer(times, &StageTimes::model);
  return model.forward(tensor::Weights::borrowed(std::move(all)), threads);
}

Result<const NamedTensor*> output_of(const std::vector<NamedTensor>& outputs, std::string_view name) {
  for (const NamedTensor& one : outputs)
    if (one.name == name) return &one;
  return fail(Code::corrupt, fmt::format("the model has no output '{}'", name));
}

NamedTensor pixel_values(media::Pixels pixels) {
  return {"pixel_values", {1, pixels.channels, pixels.height, pixels.width}, std::move(pixels.data)};
}

}  // namespace holdfast::model
