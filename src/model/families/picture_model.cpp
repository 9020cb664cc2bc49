#include "model/families/picture_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "model/families/image_parts.h"

namespace holdfast::model {
namespace {

constexpr size_t stages_max = 16;

class PictureModel final : public SignalModel {
 public:
  PictureModel(std::unique_ptr<PictureNet> net, const PictureAnswers& answers, SignalPurpose purpose,
               LinearLayer classifier)
      : net_(std::move(net)),
        answers_(answers),
        purpose_(std::move(purpose)),
        classifier_(std::move(classifier)) {}

  const SignalPurpose& purpose() const override { return purpose_; }

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override {
    TRY_DONE(check_arguments(inputs, {"pixel_values"}));
    TRY(const Images images, read_images(inputs, net_->channels()));
    const size_t width = net_->width(), count = images.count;
    std::vector<FeatureMap> pictures(count);
    tensor::Floats pooled(count * width);
    threads.run(count, [&](size_t i) {
      pictures[i] = net_->run(images.image(i), images.size, threads);
      const std::vector<float> features = net_->pool(pictures[i]);
      std::copy(features.begin(), features.end(), pooled.data() + i * width);
    });
    if (pictures[0].size.area() == 0)
      return fail(Reason::bad_request, fmt::format("images of {}x{} are too small for the model",
                                                   images.size.height, images.size.width));
    if (classifier_ != nullptr) {
      const tensor::Floats logits =
          apply(*classifier_, pooled.data(), count, width, tensor::Activation::none, threads);
      return std::vector{named("logits", {count, classifier_->width()}, logits)};
    }
    const Extent size = pictures[0].size;
    NamedTensor last{"last_hidden_state", {count, width, size.height, size.width}, {}};
    last.data.resize(count * width * size.area());
    for (size_t i = 0; i < count; ++i) pictures[i].to_image(last.data.data() + i * width * size.area());
    std::vector<uint64_t> shape = {count, width};
    if (answers_.pooled_is_picture) shape.insert(shape.end(), {1, 1});
    return std::vector{std::move(last), named("pooler_output", std::move(shape), pooled)};
  }

 private:
  std::unique_ptr<PictureNet> net_;
  PictureAnswers answers_;
  SignalPurpose purpose_;
  LinearLayer classifier_;  // Null: none.
};

}  // namespace

Result<std::unique_ptr<SignalModel>> make_picture_model(std::unique_ptr<PictureNet> net,
                                                        const PictureAnswers& answers, SignalPurpose purpose,
                                                        const WeightReader& reader) {
  LinearLayer classifier;
  if (!answers.classifier.empty()) {
    TRY(classifier, reader.linear(answers.classifier, purpose.labels.size(), net->width()));
  }
  return std::unique_ptr<SignalModel>(
      std::make_unique<PictureModel>(std::move(net), answers, std::move(purpose), std::move(classifier)));
}

std::vector<size_t> read_stages(ConfigReader& config, std::string_view name, std::vector<size_t> fallback,
                                size_t most) {
  const boost::json::array* given = config.array(name);
  if (given == nullptr) return fallback;
  std::vector<size_t> out;
  for (const boost::json::value& one : *given) {
    const bool good = one.is_int64() && one.get_int64() > 0 && static_cast<uint64_t>(one.get_int64()) <= most;
    out.push_back(good ? static_cast<size_t>(one.get_int64()) : 0);
  }
  if (out.empty() || out.size() > stages_max || std::find(out.begin(), out.end(), 0U) != out.end()) {
    config.refuse(fail(Reason::bad_request,
                       fmt::format("config.json: {} must be a list of 1 to {} numbers, each 1 to {}", name,
                                   stages_max, most)));
    return fallback;
  }
  return out;
}

}  // namespace holdfast::model
