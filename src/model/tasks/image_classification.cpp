#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "model/tasks/label_scores.h"
#include "model/tasks/signal_tasks.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {
namespace {

constexpr size_t top_most_people_want = 5;  // transformers' own.

}  // namespace

Result<boost::json::value> classify_image(const SignalCall& call) {
  TRY(const SignalModel* model,
      call.expect(SignalPurpose::Task::image_classification, "image-classification"));
  const std::vector<std::string>& labels = model->purpose().labels;
  TRY(const Squash squash, read_squash(call.parameters, call.parts.problem_type, labels.size()));
  TRY(const auto top, read_count(call.parameters, "top_k"));
  TRY(const media::Image image, call.image());
  TRY(media::Pixels pixels, call.parts.images->run(image));
  std::vector<NamedTensor> inputs;
  inputs.push_back(pixel_values(std::move(pixels)));
  TRY(const std::vector<NamedTensor> outputs, call.run(*model, std::move(inputs), {}, {}));
  TRY(const NamedTensor* logits, output_of(outputs, "logits"));
  return boost::json::value(scored_labels(labels, logits->data, squash, top.value_or(top_most_people_want)));
}

}  // namespace holdfast::model
