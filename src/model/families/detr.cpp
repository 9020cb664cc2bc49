// DETR: a network of convolutions, a transformer over its last picture, and queries that look for objects.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <optional>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/resnet.h"
#include "model/families/signals.h"
#include "model/memory_check.h"
#include "model/steps.h"
#include "model/vision/positioned_attention.h"
#include "model/vision/residual_net.h"

namespace holdfast::model {
namespace {

constexpr float norm_epsilon = 1e-5F;
constexpr size_t learned_places = 50;  // Rows of the tables of learned positions.

struct DetrPlan {
  ResidualNetPlan backbone;
  size_t stage = 4;  // Of the backbone, whose picture is read; 0 is the stem.
  size_t width = 256, queries = 100;
  size_t encoder_layers = 6, encoder_heads = 8, encoder_inner = 2'048;
  size_t decoder_layers = 6, decoder_heads = 8, decoder_inner = 2'048;
  tensor::Activation activation = tensor::Activation::relu;
  bool learned_positions = false;
};

// The last stage that out_features or out_indices name; the last one where neither is there.
size_t read_stage(ConfigReader& config, size_t stages) {
  const auto refuse = [&] {
    config.refuse(fail(Reason::bad_request, "config.json: the backbone's out_features name no stage"));
    return stages;
  };
  size_t last = 0;
  if (const boost::json::array* names = config.array("out_features"); names != nullptr && !names->empty()) {
    for (const boost::json::value& name : *names) {
      size_t found = stages + 1;
      for (size_t i = 0; i <= stages && name.is_string(); ++i)
        if (name.get_string() == (i == 0 ? std::string("stem") : fmt::format("stage{}", i))) found = i;
      if (found > stages) return refuse();
      last = std::max(last, found);
    }
    return last;
  }
  const boost::json::array* indices = config.array("out_indices");
  if (indices == nullptr || indices->empty()) return stages;
  for (const boost::json::value& index : *indices) {
    if (!index.is_int64()) return refuse();
    const int64_t number = index.get_int64(), whole = static_cast<int64_t>(stages) + 1;
    const int64_t place = number < 0 ? number + whole : number;
    if (place < 0 || place >= whole) return refuse();
    last = std::max(last, static_cast<size_t>(place));
  }
  return last;
}

// The networks of the timm library that DETR was published with.
ResidualNetPlan plan_timm(ConfigReader& config, std::string_view name, size_t channels) {
  ResidualNetPlan plan;
  plan.names = ResidualNetPlan::Names::timm;
  plan.channels = channels;
  name = name.substr(0, name.find('.'));  // "resnet50.a1_in1k": weights of one kind.
  if (name == "resnet50") return plan;
  plan.depths = {3, 4, 23, 3};
  if (name == "resnet101") return plan;
  plan.bottleneck = false;
  plan.widths = {64, 128, 256, 512};
  plan.depths = {3, 4, 6, 3};
  if (name == "resnet34") return plan;
  plan.depths = {2, 2, 2, 2};
  if (name != "resnet18")
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: the backbone '{}' is not supported", name.substr(0, 80))));
  return plan;
}

void plan_backbone(ConfigReader& config, DetrPlan& plan) {
  static const boost::json::object none;
  const boost::json::object* given = config.object("backbone_config");
  const size_t channels = config.size({"num_channels"}, 3, 1'024);
  ConfigReader part(given != nullptr ? *given : none);
  const bool is_timm = given == nullptr ? config.flag({"use_timm_backbone"}, true)
                                        : part.text({"model_type"}, "resnet") == "timm_backbone";
  if (is_timm) {
    refuse_switch(config, "dilation", false);
    const ConfigReader::Names name = {"backbone"};
    plan.backbone = plan_timm(
        config, given == nullptr ? config.text(name, "resnet50") : part.text(name, "resnet50"), channels);
    plan.stage = plan.backbone.widths.size();
  } else if (part.text({"model_type"}, "resnet") == "resnet") {
    plan.backbone = plan_resnet(part);
    plan.stage = read_stage(part, plan.backbone.widths.size());
  } else {
    config.refuse(fail(Reason::model_unsupported, "config.json: this backbone_config is not supported"));
  }
  if (!part.status().ok()) config.refuse(part.status().error());
}

DetrPlan plan_detr(ConfigReader& config) {
  DetrPlan plan;
  plan_backbone(config, plan);
  plan.width = config.size({"d_model", "hidden_size"}, 256, 16'384);
  plan.queries = config.size({"num_queries"}, 100, 65'536);
  plan.encoder_layers = config.size_or_zero({"encoder_layers", "num_hidden_layers"}, 6, 256);
  plan.encoder_heads = config.size({"encoder_attention_heads", "num_attention_heads"}, 8, 1'024);
  plan.encoder_inner = config.size({"encoder_ffn_dim"}, 2'048);
  plan.decoder_layers = config.size_or_zero({"decoder_layers"}, 6, 256);
  plan.decoder_heads = config.size({"decoder_attention_heads"}, 8, 1'024);
  plan.decoder_inner = config.size({"decoder_ffn_dim"}, 2'048);
  plan.activation = read_activation(config, {"activation_function"}, "relu");
  if (plan.width % plan.encoder_heads != 0 || plan.width % plan.decoder_heads != 0 || plan.width % 2 != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: d_model is not a multiple of the numbers of heads"));
  const std::string positions = config.text({"position_embedding_type"}, "sine");
  if (positions != "sine" && positions != "learned")
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: position embeddings of type '{}' are not supported",
                                   positions.substr(0, 60))));
  plan.learned_positions = positions == "learned";
  return plan;
}

// `pixel_mask` [B, H, W]: 1 where a pixel is. Empty where it is not given.
Result<std::vector<int64_t>> read_mask(const tensor::Weights& inputs, const Images& images) {
  const tensor::TensorView* view = inputs.find("pixel_mask");
  if (view == nullptr) return std::vector<int64_t>();
  const std::vector<uint64_t> shape = {images.count, images.size.height, images.size.width};
  if (view->shape != shape)
    return fail(Reason::bad_request, fmt::format("pixel_mask has shape {}, the images {}",
                                                 tensor::shape_text(view->shape), tensor::shape_text(shape)));
  return tensor::to_integers(*view);
}

// Of each place of a smaller grid whether there is no pixel: by the nearest one, as torch picks it.
std::vector<uint8_t> hidden_places(const int64_t* mask, Extent image, Extent grid) {
  const auto pick = [](size_t place, size_t from, size_t to) {
    const float ratio = static_cast<float>(from) / static_cast<float>(to);
    return std::min(static_cast<size_t>(static_cast<float>(place) * ratio), from - 1);
  };
  std::vector<uint8_t> out(grid.area(), 0);
  for (size_t y = 0; y < grid.height && mask != nullptr; ++y)
    for (size_t x = 0; x < grid.width; ++x)
      out[y * grid.width + x] =
          mask[pick(y, image.height, grid.height) * image.width + pick(x, image.width, grid.width)] == 0;
  return out;
}

// Sines and cosines of how far down and across a place is among those that are seen, [places, width].
std::vector<float> sine_positions(const std::vector<uint8_t>& hidden, Extent grid, size_t width) {
  const size_t half = width / 2;
  std::vector<float> out(grid.area() * width), down(grid.area()), across(grid.area());
  for (size_t y = 0; y < grid.height; ++y)
    for (size_t x = 0; x < grid.width; ++x) {
      const size_t at = y * grid.width + x;
      const float seen = hidden[at] != 0 ? 0.0F : 1.0F;
      down[at] = seen + (y > 0 ? down[at - grid.width] : 0.0F);
      across[at] = seen + (x > 0 ? across[at - 1] : 0.0F);
    }
  constexpr float turn = 6.283185307179586F;
  for (size_t y = 0; y < grid.height; ++y)
    for (size_t x = 0; x < grid.width; ++x) {
      const size_t at = y * grid.width + x;
      const float sides[] = {down[at] / (down[(grid.height - 1) * grid.width + x] + 1e-6F) * turn,
                             across[at] / (across[y * grid.width + grid.width - 1] + 1e-6F) * turn};
      for (size_t side = 0; side < 2; ++side)
        for (size_t i = 0; i < half; ++i) {
          const auto power = static_cast<float>(2 * (i / 2)) / static_cast<float>(half);
          const float angle = sides[side] / std::pow(10'000.0F, power);
          out[at * width + side * half + i] = i % 2 == 0 ? std::sin(angle) : std::cos(angle);
        }
    }
  return out;
}

class Detr final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(const boost::json::object& json,
                                                   const tensor::Weights& weights, tensor::Compute compute);

  const SignalPurpose& purpose() const override { return purpose_; }
  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override;

 private:
  struct Layer {
    std::optional<PositionedAttention> self, cross;  // cross: of the decoder.
    Norm self_norm, cross_norm, last_norm;
    LinearLayer up, down;
  };
  struct Seen {
    tensor::Floats encoded;  // [places, E]
    tensor::Floats queries;  // [queries, E]
  };
  Status load(const WeightReader& reader);
  Status load_heads(const WeightReader& reader);
  Result<Layer> load_layer(const WeightReader& reader, const std::string& name, size_t heads, size_t inner,
                           bool crosses) const;
  void normalize(const Norm& norm, tensor::Floats& x) const {
    kernels_->layer_norm({x.data(), x.data(), norm.gamma.data(), norm.beta.data(), x.size() / plan_.width,
                          plan_.width, norm_epsilon});
  }
  void feed_forward(const Layer& layer, tensor::Floats& x, tensor::Threads& threads) const;
  std::vector<float> learned(Extent grid) const;
  Seen look(const FeatureMap& picture, const std::vector<uint8_t>& hidden, tensor::Threads& threads) const;

  DetrPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  std::optional<ResidualNet> backbone_;
  std::optional<Convolution> projection_;
  std::vector<Layer> encoder_, decoder_;
  Norm last_norm_;
  std::vector<float> queries_;         // Positions, [queries, E].
  std::vector<float> rows_, columns_;  // Learned positions, [50, E / 2] each.
  LinearLayer classifier_;             // Null: the bare model. As the next ones.
  LinearLayer boxes_[3];
  SignalPurpose purpose_;
};

Result<Detr::Layer> Detr::load_layer(const WeightReader& reader, const std::string& name, size_t heads,
                                     size_t inner, bool crosses) const {
  const size_t width = plan_.width;
  Layer out;
  TRY(out.self, PositionedAttention::load(reader, name + "self_attn", width, heads));
  TRY(out.self_norm, reader.norm(name + "self_attn_layer_norm", width));
  if (crosses) {
    TRY(out.cross, PositionedAttention::load(reader, name + "encoder_attn", width, heads));
    TRY(out.cross_norm, reader.norm(name + "encoder_attn_layer_norm", width));
  }
  TRY(out.up, reader.linear(name + "fc1", inner, width));
  TRY(out.down, reader.linear(name + "fc2", width, inner));
  TRY(out.last_norm, reader.norm(name + "final_layer_norm", width));
  return out;
}

Status Detr::load(const WeightReader& reader) {
  const size_t width = plan_.width;
  ConvolutionPlan projection;
  projection.name = "input_projection";
  projection.inputs = plan_.stage == 0 ? plan_.backbone.stem : plan_.backbone.widths[plan_.stage - 1];
  projection.outputs = width;
  TRY(projection_, Convolution::load(projection, reader));
  for (size_t i = 0; i < plan_.encoder_layers; ++i) {
    TRY(Layer layer, load_layer(reader, fmt::format("encoder.layers.{}.", i), plan_.encoder_heads,
                                plan_.encoder_inner, false));
    encoder_.push_back(std::move(layer));
  }
  for (size_t i = 0; i < plan_.decoder_layers; ++i) {
    TRY(Layer layer, load_layer(reader, fmt::format("decoder.layers.{}.", i), plan_.decoder_heads,
                                plan_.decoder_inner, true));
    decoder_.push_back(std::move(layer));
  }
  TRY(last_norm_, reader.norm("decoder.layernorm", width));
  TRY(queries_, reader.floats("query_position_embeddings.weight", {plan_.queries, width}));
  if (!plan_.learned_positions) return Done{};
  TRY(rows_, reader.floats("position_embedding.row_embeddings.weight", {learned_places, width / 2}));
  TRY(columns_, reader.floats("position_embedding.column_embeddings.weight", {learned_places, width / 2}));
  return Done{};
}

Status Detr::load_heads(const WeightReader& reader) {
  const size_t width = plan_.width;
  TRY(classifier_, reader.linear("class_labels_classifier", purpose_.labels.size() + 1, width));
  for (size_t i = 0; i < 3; ++i) {
    TRY(boxes_[i], reader.linear(fmt::format("bbox_predictor.layers.{}", i), i < 2 ? width : 4, width));
  }
  return Done{};
}

Result<std::unique_ptr<SignalModel>> Detr::open(const boost::json::object& json,
                                                const tensor::Weights& weights, tensor::Compute compute) {
  ConfigReader config(json);
  auto out = std::make_unique<Detr>();
  out->plan_ = plan_detr(config);
  const std::string kind = read_class(config, "Detr", {"Model", "ForObjectDetection"});
  if (kind != "Model") out->purpose_ = {SignalPurpose::Task::object_detection, read_labels(config)};
  TRY_DONE(config.status());
  TRY_DONE(check_memory(weights, compute));
  out->kernels_ = &tensor::kernels_for(compute.isa);
  const WeightReader backbone(weights,
                              {"model.backbone.conv_encoder.model.", "backbone.conv_encoder.model.",
                               "model.backbone.model.", "backbone.model."},
                              compute);
  TRY(out->backbone_, ResidualNet::load(out->plan_.backbone, backbone));
  // As the modules are called since transformers 5, and where positions were before.
  const WeightReader::Renames renames = {{"out_proj", "o_proj"},
                                         {".fc1", ".mlp.fc1"},
                                         {".fc2", ".mlp.fc2"},
                                         {"position_embedding.", "backbone.position_embedding."}};
  const WeightReader reader(weights, {"model."}, compute, renames);
  TRY_DONE(out->load(reader));
  if (kind != "Model") TRY_DONE(out->load_heads(reader));
  return std::unique_ptr<SignalModel>(std::move(out));
}

void Detr::feed_forward(const Layer& layer, tensor::Floats& x, tensor::Threads& threads) const {
  const size_t rows = x.size() / plan_.width;
  const tensor::Floats inner = apply(*layer.up, x.data(), rows, plan_.width, plan_.activation, threads);
  tensor::LinearRun run;
  run.in = inner.data();
  run.out = x.data();
  run.addend = x.data();
  run.rows = rows;
  layer.down->run(run, threads);
  normalize(layer.last_norm, x);
}

std::vector<float> Detr::learned(Extent grid) const {
  const size_t half = plan_.width / 2;
  std::vector<float> out;
  for (size_t place = 0; place < grid.area(); ++place) {
    const auto column = columns_.begin() + static_cast<ptrdiff_t>(place % grid.width * half);
    const auto row = rows_.begin() + static_cast<ptrdiff_t>(place / grid.width * half);
    out.insert(out.end(), column, column + static_cast<ptrdiff_t>(half));
    out.insert(out.end(), row, row + static_cast<ptrdiff_t>(half));
  }
  return out;
}

Detr::Seen Detr::look(const FeatureMap& picture, const std::vector<uint8_t>& hidden,
                      tensor::Threads& threads) const {
  const std::vector<float> positions =
      plan_.learned_positions ? learned(picture.size) : sine_positions(hidden, picture.size, plan_.width);
  const bool hides = std::find(hidden.begin(), hidden.end(), 1) != hidden.end();
  Seen out;
  out.encoded = std::move(projection_->run(picture, tensor::Activation::none, nullptr, threads).data);
  PositionedRows places{out.encoded.data(), positions.data(), picture.size.area(),
                        hides ? hidden.data() : nullptr};
  std::optional<tensor::PartScope> part(std::in_place, step::encoder);
  for (const Layer& layer : encoder_) {
    places.data = out.encoded.data();
    out.encoded = layer.self->run(places, places, threads);
    normalize(layer.self_norm, out.encoded);
    feed_forward(layer, out.encoded, threads);
    tensor::step_ended(static_cast<size_t>(&layer - encoder_.data()), step::whole_layer);
  }
  part.reset();
  part.emplace(step::decoder);
  places.data = out.encoded.data();
  out.queries = tensor::Floats(queries_.size());
  std::fill_n(out.queries.data(), out.queries.size(), 0.0F);
  PositionedRows queries{nullptr, queries_.data(), plan_.queries, nullptr};
  for (const Layer& layer : decoder_) {
    queries.data = out.queries.data();
    out.queries = layer.self->run(queries, queries, threads);
    normalize(layer.self_norm, out.queries);
    queries.data = out.queries.data();
    out.queries = layer.cross->run(queries, places, threads);
    normalize(layer.cross_norm, out.queries);
    feed_forward(layer, out.queries, threads);
    tensor::step_ended(static_cast<size_t>(&layer - decoder_.data()), step::whole_layer);
  }
  normalize(last_norm_, out.queries);
  return out;
}

Result<std::vector<NamedTensor>> Detr::forward(const tensor::Weights& inputs,
                                               tensor::Threads& threads) const {
  TRY_DONE(check_arguments(inputs, {"pixel_values", "pixel_mask"}));
  TRY(const Images images, read_images(inputs, plan_.backbone.channels));
  TRY(const std::vector<int64_t> mask, read_mask(inputs, images));
  std::vector<FeatureMap> pictures(images.count);
  threads.run(images.count, [&](size_t i) {
    const tensor::PartScope part(step::image);
    pictures[i] = std::move(backbone_->run(images.image(i), images.size, threads)[plan_.stage]);
  });
  const Extent grid = pictures[0].size;
  if (plan_.learned_positions && std::max(grid.height, grid.width) > learned_places)
    return fail(Reason::bad_request, fmt::format("images of {}x{} are too large for learned positions",
                                                 images.size.height, images.size.width));
  std::vector<std::vector<uint8_t>> hidden;
  for (size_t i = 0; i < images.count; ++i) {
    hidden.push_back(
        hidden_places(mask.empty() ? nullptr : mask.data() + i * images.size.area(), images.size, grid));
    if (std::find(hidden[i].begin(), hidden[i].end(), 0) == hidden[i].end())
      return fail(Reason::bad_request, "pixel_mask leaves nothing of an image");
  }
  std::vector<Seen> seen(images.count);
  threads.run(images.count, [&](size_t i) { seen[i] = look(pictures[i], hidden[i], threads); });
  NamedTensor queries{"last_hidden_state", {images.count, plan_.queries, plan_.width}, {}};
  NamedTensor encoded{"encoder_last_hidden_state", {images.count, grid.area(), plan_.width}, {}};
  for (const Seen& one : seen) {
    queries.data.insert(queries.data.end(), one.queries.data(), one.queries.data() + one.queries.size());
    encoded.data.insert(encoded.data.end(), one.encoded.data(), one.encoded.data() + one.encoded.size());
  }
  std::vector<NamedTensor> out;
  if (classifier_ != nullptr) {
    const size_t rows = images.count * plan_.queries, width = plan_.width;
    out.push_back(
        named("logits", {images.count, plan_.queries, classifier_->width()},
              apply(*classifier_, queries.data.data(), rows, width, tensor::Activation::none, threads)));
    tensor::Floats x = apply(*boxes_[0], queries.data.data(), rows, width, tensor::Activation::relu, threads);
    x = apply(*boxes_[1], x.data(), rows, width, tensor::Activation::relu, threads);
    x = apply(*boxes_[2], x.data(), rows, width, tensor::Activation::sigmoid, threads);
    out.push_back(named("pred_boxes", {images.count, plan_.queries, 4}, x));
  }
  out.push_back(std::move(queries));
  out.push_back(std::move(encoded));
  return out;
}

}  // namespace

OpenedSignal open_detr(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute) {
  return Detr::open(json, weights, compute);
}

}  // namespace holdfast::model
