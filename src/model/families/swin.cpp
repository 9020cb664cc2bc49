#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <optional>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/picture_model.h"
#include "model/families/signals.h"
#include "model/memory_check.h"
#include "model/steps.h"
#include "model/vision/normed_mlp.h"
#include "model/vision/position_grid.h"
#include "model/vision/window_attention.h"

namespace holdfast::model {
namespace {

constexpr float plain_epsilon = 1e-5F;  // Of the norms that do not read layer_norm_eps.

struct SwinPlan {
  size_t channels = 3, width = 96, window = 7;
  Extent image, patch;
  std::vector<size_t> depths = {2, 2, 6, 2}, heads = {3, 6, 12, 24};
  float ratio = 4, epsilon = 1e-5F;
  tensor::Activation activation = tensor::Activation::gelu;
  Bias bias = Bias::with;
  bool positions = false;

  size_t width_of(size_t stage) const { return width << stage; }
};

SwinPlan plan_swin(ConfigReader& config) {
  SwinPlan plan;
  plan.channels = config.size({"num_channels"}, 3, 1'024);
  plan.width = config.size({"embed_dim"}, 96, 16'384);
  plan.window = config.size({"window_size"}, 7, 1'024);
  plan.image = read_extent(config, "image_size", 224);
  plan.patch = read_extent(config, "patch_size", 4, 1'024);
  plan.depths = read_stages(config, "depths", plan.depths, 256);
  plan.heads = read_stages(config, "num_heads", plan.heads, 1'024);
  if (plan.heads.size() != plan.depths.size()) {
    config.refuse(fail(Reason::bad_request, "config.json: num_heads and depths differ in length"));
    plan.heads.assign(plan.depths.size(), 1);
  }
  for (size_t i = 0; i < plan.heads.size(); ++i)
    if (plan.width_of(i) % plan.heads[i] != 0)
      config.refuse(
          fail(Reason::bad_request,
               fmt::format("config.json: the width of stage {} is not a multiple of its heads", i + 1)));
  plan.ratio = config.number({"mlp_ratio"}, 4);
  if (!(plan.ratio * static_cast<float>(plan.width) >= 1) || plan.ratio > 64)
    config.refuse(fail(Reason::bad_request, "config.json: mlp_ratio leaves no size of the inner layer"));
  plan.epsilon = config.number({"layer_norm_eps"}, 1e-5);
  plan.activation = read_activation(config, {"hidden_act"}, "gelu");
  plan.bias = config.flag({"qkv_bias"}, true) ? Bias::with : Bias::without;
  plan.positions = config.flag({"use_absolute_embeddings"}, false);
  return plan;
}

class Swin {
 public:
  static Result<std::unique_ptr<Swin>> load(const SwinPlan& plan, const WeightReader& reader);

  const SwinPlan& plan() const { return plan_; }
  size_t width() const { return plan_.width_of(plan_.depths.size() - 1); }
  // bad_request for a size of images that it does not take.
  Result<std::vector<float>> positions_for(Extent image, bool interpolates) const;
  // One image through all stages and the last norm.
  FeatureMap run(const float* image, Extent size, const std::vector<float>& positions,
                 tensor::Threads& threads) const;

 private:
  struct Block {
    Norm before;
    std::optional<WindowAttention> attention;
    NormedMlp mlp;
  };
  struct Stage {
    std::vector<Block> blocks;
    std::optional<Norm> merge_norm;  // As `merge`, where there is a next stage.
    LinearLayer merge;
  };
  Result<Block> load_block(const WeightReader& reader, const std::string& name, size_t stage) const;
  FeatureMap normalized(const Norm& norm, const FeatureMap& x, float epsilon) const {
    FeatureMap out = FeatureMap::make(x.size, x.channels);
    kernels_->layer_norm({x.data.data(), out.data.data(), norm.gamma.data(), norm.beta.data(), x.size.area(),
                          x.channels, epsilon});
    return out;
  }
  FeatureMap embed(const float* image, Extent size, const std::vector<float>& positions,
                   tensor::Threads& threads) const;
  void run_block(const Block& block, size_t shift, FeatureMap& x, tensor::Threads& threads) const;
  FeatureMap merge(const Stage& stage, const FeatureMap& x, tensor::Threads& threads) const;
  Extent grid(Extent image) const {
    return {(image.height + plan_.patch.height - 1) / plan_.patch.height,
            (image.width + plan_.patch.width - 1) / plan_.patch.width};
  }

  SwinPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  std::optional<Patches> patches_;
  Norm patch_norm_, last_norm_;
  std::vector<float> positions_;
  std::vector<Stage> stages_;
};

Result<Swin::Block> Swin::load_block(const WeightReader& reader, const std::string& name,
                                     size_t stage) const {
  const size_t width = plan_.width_of(stage);
  const auto inner = static_cast<size_t>(static_cast<double>(plan_.ratio) * static_cast<double>(width));
  Block out;
  TRY(out.before, reader.norm(name + "layernorm_before", width));
  TRY(out.mlp.norm, reader.norm(name + "layernorm_after", width));
  TRY(out.attention, WindowAttention::load(
                         {name + "attention.", width, plan_.heads[stage], plan_.window, plan_.bias}, reader));
  TRY(out.mlp.up, reader.linear(name + "intermediate.dense", inner, width));
  TRY(out.mlp.down, reader.linear(name + "output.dense", width, inner));
  out.mlp.epsilon = plan_.epsilon;
  out.mlp.activation = plan_.activation;
  return out;
}

Result<std::unique_ptr<Swin>> Swin::load(const SwinPlan& plan, const WeightReader& reader) {
  auto out = std::make_unique<Swin>();
  out->plan_ = plan;
  out->kernels_ = &tensor::kernels_for(reader.compute().isa);
  TRY(out->patches_, Patches::load({"embeddings.patch_embeddings.projection", plan.channels, plan.width,
                                    plan.patch, Bias::with},
                                   reader));
  TRY(out->patch_norm_, reader.norm("embeddings.norm", plan.width));
  if (plan.positions) {
    const size_t rows = out->patches_->grid(plan.image).area();
    TRY(out->positions_, reader.floats("embeddings.position_embeddings", {1, rows, plan.width}));
  }
  for (size_t i = 0; i < plan.depths.size(); ++i) {
    Stage stage;
    const std::string name = fmt::format("encoder.layers.{}.", i);
    for (size_t k = 0; k < plan.depths[i]; ++k) {
      TRY(Block block, out->load_block(reader, fmt::format("{}blocks.{}.", name, k), i));
      stage.blocks.push_back(std::move(block));
    }
    if (i + 1 < plan.depths.size()) {
      const size_t width = plan.width_of(i);
      TRY(stage.merge_norm, reader.norm(name + "downsample.norm", 4 * width));
      TRY(stage.merge, reader.linear(name + "downsample.reduction", 2 * width, 4 * width, Bias::without));
    }
    out->stages_.push_back(std::move(stage));
  }
  TRY(out->last_norm_, reader.norm("layernorm", out->width()));
  return out;
}

Result<std::vector<float>> Swin::positions_for(Extent image, bool interpolates) const {
  Extent size = grid(image);
  for (size_t i = 0; i < plan_.depths.size(); ++i) {
    if (std::min(size.height, size.width) < plan_.window)
      return fail(Reason::bad_request, fmt::format("an image of {}x{} is smaller than a window of stage {}",
                                                   image.height, image.width, i + 1));
    size = {(size.height + 1) / 2, (size.width + 1) / 2};
  }
  if (positions_.empty()) return positions_;
  const Extent from = patches_->grid(plan_.image), to = grid(image);
  if (!interpolates && to.area() != from.area())
    return fail(Reason::bad_request,
                fmt::format("images of {}x{} do not fit a model for {}x{} without interpolate_pos_encoding",
                            image.height, image.width, plan_.image.height, plan_.image.width));
  if (!interpolates || (to.area() == from.area() && image.height == image.width)) return positions_;
  if (from.height != from.width || patches_->grid(image) != to)
    return fail(Reason::model_unsupported, "positions fit only grids of whole patches made from squares");
  return resample_grid(positions_, plan_.width, from, to, Resampling::bicubic);
}

// Images are filled up with zeros to whole patches.
FeatureMap Swin::embed(const float* image, Extent size, const std::vector<float>& positions,
                       tensor::Threads& threads) const {
  const Extent cells = grid(size);
  const Extent whole = {cells.height * plan_.patch.height, cells.width * plan_.patch.width};
  std::vector<float> padded;
  if (whole != size) {
    padded.resize(plan_.channels * whole.area(), 0.0F);
    for (size_t line = 0; line < plan_.channels * size.height; ++line)
      std::copy_n(image + line * size.width, size.width,
                  padded.data() + (line / size.height * whole.height + line % size.height) * whole.width);
    image = padded.data();
  }
  FeatureMap rows = FeatureMap::make(cells, plan_.width);
  patches_->run(image, whole, rows.data.data(), threads);
  FeatureMap out = normalized(patch_norm_, rows, plain_epsilon);
  for (size_t i = 0; i < positions.size(); ++i) out.data.data()[i] += positions[i];
  return out;
}

void Swin::run_block(const Block& block, size_t shift, FeatureMap& x, tensor::Threads& threads) const {
  const FeatureMap before = normalized(block.before, x, plan_.epsilon);
  block.attention->add(before.data.data(), x.size, shift, x.data.data(), threads);
  block.mlp.add(*kernels_, x.data.data(), x.size.area(), x.data.data(), threads);
}

// Four neighbours become one place, column by column; zeros past the picture.
FeatureMap Swin::merge(const Stage& stage, const FeatureMap& x, tensor::Threads& threads) const {
  const size_t width = x.channels;
  FeatureMap four = FeatureMap::make({(x.size.height + 1) / 2, (x.size.width + 1) / 2}, 4 * width);
  for (size_t place = 0; place < four.size.area(); ++place)
    for (size_t part = 0; part < 4; ++part) {
      const size_t line = place / four.size.width * 2 + part % 2,
                   column = place % four.size.width * 2 + part / 2;
      float* to = four.data.data() + (place * 4 + part) * width;
      if (line < x.size.height && column < x.size.width)
        std::copy_n(x.data.data() + (line * x.size.width + column) * width, width, to);
      else
        std::fill_n(to, width, 0.0F);
    }
  const FeatureMap normed = normalized(*stage.merge_norm, four, plain_epsilon);
  FeatureMap out = FeatureMap::make(four.size, 2 * width);
  out.data =
      apply(*stage.merge, normed.data.data(), four.size.area(), 4 * width, tensor::Activation::none, threads);
  return out;
}

FeatureMap Swin::run(const float* image, Extent size, const std::vector<float>& positions,
                     tensor::Threads& threads) const {
  FeatureMap x = embed(image, size, positions, threads);
  tensor::step_ended(tensor::WorkWatch::no_layer, step::embedding);
  size_t index = 0;
  for (const Stage& stage : stages_) {
    // A picture that is one window across is not shifted.
    const bool shifts = std::min(x.size.height, x.size.width) > plan_.window;
    for (size_t i = 0; i < stage.blocks.size(); ++i) {
      run_block(stage.blocks[i], shifts && i % 2 == 1 ? plan_.window / 2 : 0, x, threads);
      tensor::step_ended(index++, step::whole_layer);
    }
    if (stage.merge != nullptr) x = merge(stage, x, threads);
  }
  return normalized(last_norm_, x, plan_.epsilon);
}

class SwinModel final : public SignalModel {
 public:
  SwinModel(std::unique_ptr<Swin> net, LinearLayer classifier, SignalPurpose purpose)
      : net_(std::move(net)), classifier_(std::move(classifier)), purpose_(std::move(purpose)) {}

  const SignalPurpose& purpose() const override { return purpose_; }

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override {
    TRY_DONE(check_arguments(inputs, {"pixel_values", "interpolate_pos_encoding"}));
    TRY(const Images images, read_images(inputs, net_->plan().channels));
    TRY(const bool interpolates, read_switch(inputs, "interpolate_pos_encoding"));
    TRY(const std::vector<float> positions, net_->positions_for(images.size, interpolates));
    const size_t width = net_->width(), count = images.count;
    std::vector<FeatureMap> pictures(count);
    tensor::Floats pooled(count * width);
    threads.run(count, [&](size_t i) {
      pictures[i] = net_->run(images.image(i), images.size, positions, threads);
      const std::vector<float> mean = mean_pool(pictures[i]);
      std::copy(mean.begin(), mean.end(), pooled.data() + i * width);
    });
    if (classifier_ != nullptr) {
      const tensor::Floats logits =
          apply(*classifier_, pooled.data(), count, width, tensor::Activation::none, threads);
      return std::vector{named("logits", {count, classifier_->width()}, logits)};
    }
    NamedTensor last{"last_hidden_state", {count, pictures[0].size.area(), width}, {}};
    for (const FeatureMap& picture : pictures)
      last.data.insert(last.data.end(), picture.data.data(), picture.data.data() + picture.data.size());
    return std::vector{std::move(last), named("pooler_output", {count, width}, pooled)};
  }

 private:
  std::unique_ptr<Swin> net_;
  LinearLayer classifier_;  // Null: none.
  SignalPurpose purpose_;
};

}  // namespace

OpenedSignal open_swin(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute) {
  ConfigReader config(json);
  const SwinPlan plan = plan_swin(config);
  const std::string kind = read_class(config, "Swin", {"Model", "ForImageClassification"});
  SignalPurpose purpose;
  if (kind != "Model") purpose = {SignalPurpose::Task::image_classification, read_labels(config)};
  TRY_DONE(config.status());
  TRY_DONE(check_memory(weights, compute));
  // As the modules are called since transformers 5.
  const WeightReader::Renames renames = {
      {"attention.self.query", "attention.q_proj"},
      {"attention.self.key", "attention.k_proj"},
      {"attention.self.value", "attention.v_proj"},
      {"attention.self.relative", "attention.relative_position_bias.relative"},
      {"attention.output.dense", "attention.o_proj"},
      {"intermediate.dense", "mlp.fc1"},
      {"output.dense", "mlp.fc2"}};
  const WeightReader reader(weights, {"swin."}, compute, renames);
  TRY(std::unique_ptr<Swin> net, Swin::load(plan, reader));
  LinearLayer classifier;
  if (kind != "Model") {
    TRY(classifier, reader.linear("classifier", purpose.labels.size(), net->width()));
  }
  return std::unique_ptr<SignalModel>(
      std::make_unique<SwinModel>(std::move(net), std::move(classifier), std::move(purpose)));
}

}  // namespace holdfast::model
