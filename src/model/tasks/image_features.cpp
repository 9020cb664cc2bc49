#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/signal_tasks.h"

namespace holdfast::model {
namespace {

// A tensor as nested lists.
boost::json::array nested(const NamedTensor& tensor, size_t dimension, size_t& at) {
  boost::json::array out;
  out.reserve(tensor.shape[dimension]);
  for (uint64_t i = 0; i < tensor.shape[dimension]; ++i)
    if (dimension + 1 == tensor.shape.size())
      out.emplace_back(tensor.data[at++]);
    else
      out.emplace_back(nested(tensor, dimension + 1, at));
  return out;
}

}  // namespace

// Hidden states, or the pooled one where `pool` asks for it; a model of images and texts has the vector that
// it compares with texts.
Result<boost::json::value> extract_image_features(const SignalCall& call) {
  const SignalModel* model = call.parts.model->signal();
  using Task = SignalPurpose::Task;
  if (model == nullptr || !call.parts.images ||
      (model->purpose().task != Task::features &&
       model->purpose().task != Task::zero_shot_image_classification))
    return fail(Reason::model_unsupported, "the model is not for image-feature-extraction");
  const bool compared = model->purpose().task == Task::zero_shot_image_classification;
  TRY(const auto pool, codec::json_flag_if(call.parameters, "pool"));
  TRY(const media::Image image, call.image());
  TRY(media::Pixels pixels, call.parts.images->run(image));
  std::vector<NamedTensor> inputs;
  inputs.push_back(pixel_values(std::move(pixels)));
  TRY(const std::vector<NamedTensor> outputs, call.run(*model, std::move(inputs), {}, {}));
  const std::string_view wanted = compared               ? "image_embeds"
                                  : pool.value_or(false) ? "pooler_output"
                                                         : "last_hidden_state";
  const auto found = output_of(outputs, wanted);
  if (!found.ok())
    return fail(Reason::model_unsupported, fmt::format("the model has no {} of an image", wanted));
  size_t at = 0;
  return boost::json::value(nested(*found.value(), 0, at));
}

}  // namespace holdfast::model
