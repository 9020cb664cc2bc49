#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/signal_tasks.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {
namespace {

constexpr double sure_enough = 0.5;  // transformers' own.

}  // namespace

// Boxes are in pixels of the image as it came; int() of Python cuts towards zero.
Result<boost::json::value> detect_objects(const SignalCall& call) {
  TRY(const SignalModel* model, call.expect(SignalPurpose::Task::object_detection, "object-detection"));
  TRY(const auto threshold, codec::json_number_if(call.parameters, "threshold"));
  TRY(const media::Image image, call.image());
  TRY(media::Pixels pixels, call.parts.images->run(image));
  std::vector<NamedTensor> inputs;
  inputs.push_back(pixel_values(std::move(pixels)));
  TRY(const std::vector<NamedTensor> outputs, call.run(*model, std::move(inputs), {}, {}));
  TRY(const NamedTensor* logits, output_of(outputs, "logits"));
  TRY(const NamedTensor* boxes, output_of(outputs, "pred_boxes"));
  const std::vector<std::string>& labels = model->purpose().labels;
  const size_t columns = labels.size() + 1;  // The last one says that nothing is there.
  const size_t queries = boxes->data.size() / 4;
  if (logits->data.size() != queries * columns)
    return fail(Code::corrupt, "the model's scores are not those of its labels");
  const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
  boost::json::array out;
  for (size_t query = 0; query < queries; ++query) {
    const std::vector<float> scores = softmax({logits->data.data() + query * columns, columns});
    size_t best = 0;
    for (size_t label = 1; label < labels.size(); ++label)
      if (scores[label] > scores[best]) best = label;
    if (!(static_cast<double>(scores[best]) > threshold.value_or(sure_enough))) continue;
    const float* box = boxes->data.data() + query * 4;  // Centre, width and height, of 1.
    const auto edge = [](float at, float size) { return static_cast<int64_t>(at * size); };
    out.push_back(
        boost::json::object{{"score", scores[best]},
                            {"label", labels[best]},
                            {"box", boost::json::object{{"xmin", edge(box[0] - 0.5F * box[2], width)},
                                                        {"ymin", edge(box[1] - 0.5F * box[3], height)},
                                                        {"xmax", edge(box[0] + 0.5F * box[2], width)},
                                                        {"ymax", edge(box[1] + 0.5F * box[3], height)}}}});
  }
  return boost::json::value(std::move(out));
}

}  // namespace holdfast::model
