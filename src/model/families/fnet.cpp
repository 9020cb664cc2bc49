#include <boost/json/object.hpp>
#include <cmath>
#include <numbers>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/text_waves.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;
using Waves = std::shared_ptr<const tensor::Linear>;

struct Sizes {
  size_t width = 0, inner = 0;
  float epsilon = 1e-12F;
  Activation activation = Activation::gelu;
};

// cos and sin of 2 pi i / count.
struct Circle {
  std::vector<float> cosines, sines;
  explicit Circle(size_t count) : cosines(count), sines(count) {
    for (size_t i = 0; i < count; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count);
      cosines[i] = static_cast<float>(std::cos(angle));
      sines[i] = static_cast<float>(std::sin(angle));
    }
  }
};

// What a row is made of: `width` cosines, then as many sines. In f32 whatever the weights are in.
Waves make_waves(size_t width, tensor::Isa isa) {
  const Circle circle(width);
  std::vector<float> weight(2 * width * width);
  for (size_t wave = 0; wave < width; ++wave)
    for (size_t i = 0; i < width; ++i) {
      weight[wave * width + i] = circle.cosines[wave * i % width];
      weight[(width + wave) * width + i] = circle.sines[wave * i % width];
    }
  const std::vector<float> none;
  return tensor::make_linear({weight, none, 2 * width, width}, {isa, tensor::Precision::f32});
}

// BERT's layer with the real part of a Fourier transform, along rows and along the text, in attention's
// place.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at, Waves waves) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    out->waves_ = std::move(waves);
    const auto norm = [&](const std::string& name) {
      return RowScale::load(reader, at + name, sizes.width, RowScale::Kind::layer, sizes.epsilon);
    };
    TRY(out->mix_norm_, norm("fourier.output.LayerNorm"));
    TRY(out->inner_, reader.linear(at + "intermediate.dense", sizes.inner, sizes.width));
    TRY(out->out_, reader.linear(at + "output.dense", sizes.width, sizes.inner));
    TRY(out->norm_, norm("output.LayerNorm"));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t base = batch.starts[first], rows = batch.starts[last] - base, width = sizes_.width;
    const Floats waves = apply(*waves_, x, rows, threads);
    for (size_t i = first; i < last; ++i) {
      if (batch.length(i) == 0) continue;
      const size_t row = batch.starts[i] - base;
      TextWaves(batch.length(i)).add(waves.data() + row * 2 * width, width, x + row * width, threads);
    }
    mix_norm_.run(x, rows);
    const Floats wide = apply(*inner_, x, rows, threads, sizes_.activation);
    multiply(*out_, wide.data(), x, rows, threads, x);
    norm_.run(x, rows);
  }

 private:
  Sizes sizes_;
  Waves waves_;
  LinearLayer inner_, out_;
  RowScale mix_norm_, norm_;
};

}  // namespace

// BERT without attention. A text is transformed alone: what pads it is no part of it.
void plan_fnet(ConfigReader& config, EncoderPlan& plan) {
  boost::json::object rest = config.json();
  rest["num_attention_heads"] = 1;  // It has none.
  ConfigReader reader(rest);
  SizeKeys keys;
  keys.activation_fallback = "gelu_new";
  const size_t layers = read_sizes(reader, plan, keys);
  if (!reader.status().ok()) config.refuse(reader.status().error());
  if (!config.has("type_vocab_size")) plan.types = 4;
  if (!config.has("vocab_size")) plan.vocabulary = 32'000;
  plan.prefixes = {"fnet."};
  name_as_bert(plan);
  plan.embedding_projection = "embeddings.projection";
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  const Sizes sizes{plan.width, plan.inner, plan.epsilon, plan.activation};
  const auto waves = std::make_shared<Waves>();  // All layers have the same.
  plan.make_layer = [sizes, waves](const WeightReader& weights, const EncoderPlan& whole,
                                   size_t index) -> Result<std::unique_ptr<TokenLayer>> {
    if (index == 0) *waves = make_waves(sizes.width, weights.compute().isa);
    return Layer::load(weights, sizes, whole.layers[index].prefix, *waves);
  };
  plan.zeroes_padding = true;
  add_heads(config, plan, bert_heads(plan));
}

}  // namespace holdfast::model
