#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/label_scores.h"
#include "model/tasks/signal_tasks.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {
NamedTensor as_tensor(const media::Features& features) {
  return {features.name, {features.shape.begin(), features.shape.end()}, features.data};
}

Result<boost::json::value> classify_sound(const SignalCall& call) {
  TRY(const SignalModel* model,
      call.expect(SignalPurpose::Task::audio_classification, "audio-classification"));
  const std::vector<std::string>& labels = model->purpose().labels;
  TRY(Squash squash, read_squash(call.parameters, call.parts.problem_type, labels.size()));
  // Unlike images, one label is no reason for a sigmoid.
  if (!call.parameters.contains("function_to_apply") && call.parts.problem_type.empty())
    squash = Squash::softmax;
  TRY(const auto top, read_count(call.parameters, "top_k"));
  TRY(const std::vector<float> samples, call.sound());
  TRY(const media::Features features, call.parts.sounds->run(samples));
  std::vector<NamedTensor> inputs;
  inputs.push_back(as_tensor(features));
  TRY(const std::vector<NamedTensor> outputs, call.run(*model, std::move(inputs), {}, {}));
  TRY(const NamedTensor* logits, output_of(outputs, "logits"));
  boost::json::array out;
  for (const boost::json::value& one :
       scored_labels(labels, logits->data, squash, top.value_or(labels.size())))
    out.push_back(boost::json::object{{"score", one.at("score")}, {"label", one.at("label")}});
  return boost::json::value(std::move(out));
}

}  // namespace holdfast::model
