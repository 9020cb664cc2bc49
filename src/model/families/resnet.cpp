#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/picture_model.h"
#include "model/families/resnet.h"
#include "model/families/signals.h"
#include "model/memory_check.h"

namespace holdfast::model {

ResidualNetPlan plan_resnet(ConfigReader& config) {
  ResidualNetPlan plan;
  plan.channels = config.size({"num_channels"}, 3, 1'024);
  plan.stem = config.size({"embedding_size"}, 64, 65'536);
  plan.widths = read_stages(config, "hidden_sizes", plan.widths, 65'536);
  plan.depths = read_stages(config, "depths", plan.depths, 256);
  if (plan.widths.size() != plan.depths.size()) {
    config.refuse(fail(Reason::bad_request, "config.json: hidden_sizes and depths differ in length"));
    plan.depths.resize(plan.widths.size(), 1);
  }
  const std::string type = config.text({"layer_type"}, "bottleneck");
  if (type != "basic" && type != "bottleneck")
    config.refuse(fail(Reason::model_unsupported, "config.json: layer_type must be basic or bottleneck"));
  plan.bottleneck = type == "bottleneck";
  plan.halves_first_stage = config.flag({"downsample_in_first_stage"}, false);
  plan.halves_in_first_layer = config.flag({"downsample_in_bottleneck"}, false);
  plan.activation = read_activation(config, {"hidden_act"}, "relu");
  return plan;
}

namespace {

class ResNet final : public PictureNet {
 public:
  explicit ResNet(ResidualNet net) : net_(std::move(net)) {}
  size_t channels() const override { return net_.plan().channels; }
  size_t width() const override { return net_.plan().widths.back(); }
  FeatureMap run(const float* image, Extent size, tensor::Threads& threads) const override {
    return std::move(net_.run(image, size, threads).back());
  }
  std::vector<float> pool(const FeatureMap& picture) const override { return mean_pool(picture); }

 private:
  ResidualNet net_;
};

}  // namespace

OpenedSignal open_resnet(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute) {
  ConfigReader config(json);
  const ResidualNetPlan plan = plan_resnet(config);
  const std::string kind = read_class(config, "ResNet", {"Model", "ForImageClassification"});
  SignalPurpose purpose;
  PictureAnswers answers{.pooled_is_picture = true, .classifier = {}};
  if (kind != "Model") {
    purpose = {SignalPurpose::Task::image_classification, read_labels(config)};
    answers.classifier = "classifier.1";
  }
  TRY_DONE(config.status());
  TRY_DONE(check_memory(weights, compute));
  const WeightReader reader(weights, {"resnet."}, compute);
  TRY(ResidualNet net, ResidualNet::load(plan, reader));
  return make_picture_model(std::make_unique<ResNet>(std::move(net)), answers, std::move(purpose), reader);
}

}  // namespace holdfast::model
