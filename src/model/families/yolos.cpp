// YOLOS: ViT whose last tokens look for objects, with positions between its layers too.
#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/signals.h"
#include "model/memory_check.h"

namespace holdfast::model {
namespace {

struct YolosPlan {
  ImageTowerPlan tower;
  size_t objects = 100;  // Tokens after the patches.
  bool between = true;   // Positions after each layer but the last.
  Extent grid() const {
    return {tower.image.height / tower.patches.kernel.height, tower.image.width / tower.patches.kernel.width};
  }
};

Extent read_image_size(ConfigReader& config) {
  if (config.has("image_size")) return read_extent(config, "image_size", 512);
  return {512, 864};
}

YolosPlan plan_yolos(ConfigReader& config) {
  YolosPlan plan;
  plan_vit_layers(config, plan.tower);
  EncoderPlan& encoder = plan.tower.encoder;
  encoder.inner = config.size({"intermediate_size"}, 3'072);
  encoder.epsilon = config.number({"layer_norm_eps"}, 1e-12);
  plan.tower.image = read_image_size(config);
  plan.tower.patches.kernel = read_extent(config, "patch_size", 16);
  plan.tower.patches.name = "embeddings.patch_embeddings.projection";
  encoder.prefixes = {"vit."};
  add_layers(encoder, "encoder.layer.", config.size({"num_hidden_layers"}, 12, 256));
  name_vit_layers(encoder);
  plan.objects = config.size({"num_detection_tokens"}, 100, 65'536);
  plan.between = config.flag({"use_mid_position_embeddings"}, true) && encoder.layers.size() > 1;
  if (plan.grid().area() == 0)
    config.refuse(fail(Reason::bad_request, "config.json: image_size has no patch of patch_size"));
  return plan;
}

class Yolos final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(const boost::json::object& json, tensor::Weights weights,
                                                   tensor::Compute compute);
  const SignalPurpose& purpose() const override { return purpose_; }
  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override;

 private:
  Status load(const WeightReader& reader);
  Status load_heads(const WeightReader& reader);
  std::vector<float> positions_for(Extent grid, const float* table) const;
  void add_objects(const ImageRows& hidden, std::vector<NamedTensor>& out, tensor::Threads& threads) const;

  std::unique_ptr<tensor::Weights> weights_;  // Its address must not change.
  YolosPlan plan_;
  std::unique_ptr<Patches> patches_;
  std::unique_ptr<Encoder> encoder_;
  std::vector<float> class_token_, object_tokens_, positions_;  // The last: of all rows at the model's size.
  std::vector<float> between_;                                  // [layers - 1, rows, E], or empty.
  LinearLayer classes_[3], boxes_[3], pooler_;                  // Null: the bare model has none; the pooler.
  SignalPurpose purpose_;
};

Status Yolos::load(const WeightReader& reader) {
  const EncoderPlan& encoder = plan_.tower.encoder;
  const size_t width = encoder.width, rows = 1 + plan_.grid().area() + plan_.objects;
  TRY(Patches patches, Patches::load(plan_.tower.patches, reader));
  patches_ = std::make_unique<Patches>(std::move(patches));
  TRY(class_token_, reader.floats("embeddings.cls_token", {1, 1, width}));
  TRY(object_tokens_, reader.floats("embeddings.detection_tokens", {1, plan_.objects, width}));
  TRY(positions_, reader.floats("embeddings.position_embeddings", {1, rows, width}));
  if (plan_.between) {
    TRY(between_,
        reader.floats("encoder.mid_position_embeddings", {encoder.layers.size() - 1, 1, rows, width}));
  }
  TRY(Encoder loaded, Encoder::load(encoder, reader));
  encoder_ = std::make_unique<Encoder>(std::move(loaded));
  return Done{};
}

Status Yolos::load_heads(const WeightReader& reader) {
  const size_t width = plan_.tower.encoder.width;
  for (size_t i = 0; i < 3; ++i) {
    TRY(classes_[i], reader.linear(fmt::format("class_labels_classifier.layers.{}", i),
                                   i < 2 ? width : purpose_.labels.size() + 1, width));
    TRY(boxes_[i], reader.linear(fmt::format("bbox_predictor.layers.{}", i), i < 2 ? width : 4, width));
  }
  return Done{};
}

Result<std::unique_ptr<SignalModel>> Yolos::open(const boost::json::object& json, tensor::Weights weights,
                                                 tensor::Compute compute) {
  ConfigReader config(json);
  auto out = std::make_unique<Yolos>();
  out->plan_ = plan_yolos(config);
  const std::string kind = read_class(config, "Yolos", {"Model", "ForObjectDetection"});
  if (kind != "Model") out->purpose_ = {SignalPurpose::Task::object_detection, read_labels(config)};
  TRY_DONE(config.status());
  out->weights_ = std::make_unique<tensor::Weights>(std::move(weights));
  TRY_DONE(check_memory(*out->weights_, compute));
  const EncoderPlan& encoder = out->plan_.tower.encoder;
  const WeightReader reader(*out->weights_, encoder.prefixes, compute, encoder.renames);
  TRY_DONE(out->load(reader));
  if (kind != "Model") {
    TRY_DONE(out->load_heads(reader));
  } else if (reader.has("pooler.dense.weight")) {
    TRY(out->pooler_, reader.linear("pooler.dense", encoder.width, encoder.width));
  }
  return std::unique_ptr<SignalModel>(std::move(out));
}

// Rows for another grid; those of the class and of the objects stay.
std::vector<float> Yolos::positions_for(Extent grid, const float* table) const {
  const size_t width = plan_.tower.encoder.width, patches = plan_.grid().area();
  const float *first = table + width, *last = first + patches * width;
  if (grid == plan_.grid()) return {table, last + plan_.objects * width};
  std::vector<float> out(table, first);
  const std::vector<float> moved =
      resample_grid({first, last}, width, plan_.grid(), grid, Resampling::bicubic);
  out.insert(out.end(), moved.begin(), moved.end());
  out.insert(out.end(), last, last + plan_.objects * width);
  return out;
}

void Yolos::add_objects(const ImageRows& hidden, std::vector<NamedTensor>& out,
                        tensor::Threads& threads) const {
  const size_t width = hidden.width, rows = hidden.images * plan_.objects;
  tensor::Floats objects(rows * width);
  for (size_t image = 0; image < hidden.images; ++image)
    std::copy_n(hidden.of(image, hidden.rows - plan_.objects), plan_.objects * width,
                objects.data() + image * plan_.objects * width);
  const auto judge = [&](const LinearLayer* layers, tensor::Activation last) {
    tensor::Floats x = apply(*layers[0], objects.data(), rows, width, tensor::Activation::relu, threads);
    x = apply(*layers[1], x.data(), rows, width, tensor::Activation::relu, threads);
    return apply(*layers[2], x.data(), rows, width, last, threads);
  };
  out.push_back(named("logits", {hidden.images, plan_.objects, classes_[2]->width()},
                      judge(classes_, tensor::Activation::none)));
  out.push_back(
      named("pred_boxes", {hidden.images, plan_.objects, 4}, judge(boxes_, tensor::Activation::sigmoid)));
}

Result<std::vector<NamedTensor>> Yolos::forward(const tensor::Weights& inputs,
                                                tensor::Threads& threads) const {
  TRY_DONE(check_arguments(inputs, {"pixel_values"}));
  TRY(const Images images, read_images(inputs, plan_.tower.patches.channels));
  const Extent grid = patches_->grid(images.size);
  if (grid.area() == 0)
    return fail(Reason::bad_request,
                fmt::format("an image of {}x{} has no patch", images.size.height, images.size.width));
  const size_t width = plan_.tower.encoder.width, rows = 1 + grid.area() + plan_.objects;
  const size_t own_rows = 1 + plan_.grid().area() + plan_.objects;
  const std::vector<float> positions = positions_for(grid, positions_.data());
  std::vector<std::vector<float>> between;
  for (size_t i = 0; i * own_rows * width < between_.size(); ++i)
    between.push_back(positions_for(grid, between_.data() + i * own_rows * width));
  TokenBatch batch;
  for (size_t image = 0; image < images.count; ++image) {
    for (size_t row = 0; row < rows; ++row) batch.add(0, 0, static_cast<int64_t>(row));
    batch.end_sequence(rows);
  }
  if (!between.empty()) batch.between = &between;
  batch.embedded.resize(batch.tokens() * width);
  threads.run(images.count, [&](size_t image) {
    float* out = batch.embedded.data() + image * rows * width;
    std::copy(class_token_.begin(), class_token_.end(), out);
    patches_->run(images.image(image), images.size, out + width, threads);
    std::copy(object_tokens_.begin(), object_tokens_.end(), out + (1 + grid.area()) * width);
    for (size_t i = 0; i < rows * width; ++i) out[i] += positions[i];
  });
  ImageRows hidden{images.count, rows, width, {}};
  TRY(hidden.data, encoder_->forward(batch, threads));
  std::vector<NamedTensor> out;
  if (classes_[0] != nullptr) add_objects(hidden, out, threads);
  out.push_back(named("last_hidden_state", {hidden.images, rows, width}, hidden.data));
  if (pooler_ == nullptr) return out;
  out.push_back(named(
      "pooler_output", {hidden.images, width},
      apply(*pooler_, hidden.of(0, 0), hidden.images, rows * width, tensor::Activation::tanh, threads)));
  return out;
}

}  // namespace

OpenedSignal open_yolos(const boost::json::object& config, tensor::Weights weights, tensor::Compute compute) {
  return Yolos::open(config, std::move(weights), compute);
}

}  // namespace holdfast::model
