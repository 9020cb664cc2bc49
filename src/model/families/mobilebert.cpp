#include <fmt/format.h>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/row_table.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

constexpr float torch_epsilon = 1e-5F;  // Of norms that transformers makes without saying it.

struct Sizes {
  size_t width = 0, narrow = 0, heads = 0, inner = 0, words = 0, vocabulary = 0, positions = 0, types = 0;
  size_t branches = 4;  // Feed-forward branches after one another.
  bool trigram = true, bottleneck = true, narrow_attention = false, shares_query = true;
  RowScale::Kind norm = RowScale::Kind::none;
  float epsilon = 1e-12F;
  Activation activation = Activation::relu;
};

// A product and what scales its rows, perhaps added to others before.
struct Scaled {
  LinearLayer linear;
  RowScale scale;

  static Result<Scaled> load(const WeightReader& reader, const std::string& name, const std::string& norm,
                             size_t outputs, size_t inputs, const Sizes& sizes, float epsilon) {
    Scaled out;
    TRY(out.linear, reader.linear(name, outputs, inputs));
    TRY(out.scale, RowScale::load(reader, norm, outputs, sizes.norm, epsilon));
    return out;
  }
  Floats run(const float* in, size_t rows, tensor::Threads& threads, const float* addend = nullptr) const {
    Floats out = apply(*linear, in, rows, threads, Activation::none, addend);
    scale.run(out.data(), rows);
    return out;
  }
};

// Each token's word beside its neighbours', brought to the model's width; then its place and its type.
class Embedding final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes) {
    auto out = std::make_unique<Embedding>();
    out->sizes_ = sizes;
    TRY(out->words_,
        RowTable::load(reader, "embeddings.word_embeddings.weight", sizes.vocabulary, sizes.words));
    TRY(out->positions_,
        RowTable::load(reader, "embeddings.position_embeddings.weight", sizes.positions, sizes.width));
    TRY(out->types_,
        RowTable::load(reader, "embeddings.token_type_embeddings.weight", sizes.types, sizes.width));
    if (sizes.trigram || sizes.words != sizes.width) {
      TRY(out->projection_, reader.linear("embeddings.embedding_transformation", sizes.width,
                                          sizes.words * (sizes.trigram ? 3 : 1)));
    }
    TRY(out->scale_, RowScale::load(reader, "embeddings.LayerNorm", sizes.width, sizes.norm, torch_epsilon));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  Status check(const TokenBatch& batch) const override {
    for (size_t i = 0; i < batch.tokens(); ++i) {
      const auto below = [](int64_t number, size_t bound) {
        return number >= 0 && static_cast<uint64_t>(number) < bound;
      };
      if (!below(batch.types[i], sizes_.types))
        return fail(Reason::bad_request,
                    fmt::format("token type {} is outside 0 to {}", batch.types[i], sizes_.types - 1));
      if (!below(batch.positions[i], sizes_.positions))
        return fail(Reason::bad_request,
                    fmt::format("position {} is outside 0 to {}", batch.positions[i], sizes_.positions - 1));
    }
    return Done{};
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t base = batch.starts[first], rows = batch.starts[last] - base;
    const size_t each = sizes_.words, wide = each * (sizes_.trigram ? 3 : 1);
    Floats words(rows * wide);
    std::fill_n(words.data(), words.size(), 0.0F);
    for (size_t i = first; i < last; ++i)
      for (size_t token = batch.starts[i]; token < batch.starts[i + 1]; ++token) {
        const auto id = static_cast<size_t>(batch.ids[token]);
        float* into = words.data() + (token - base) * wide;
        words_.add_row(id, into + (sizes_.trigram ? each : 0));
        if (!sizes_.trigram) continue;
        // The next token's word comes first.
        if (token > batch.starts[i]) words_.add_row(id, into - wide);
        if (token + 1 < batch.starts[i + 1]) words_.add_row(id, into + wide + 2 * each);
      }
    if (projection_ != nullptr) {
      tensor::LinearRun run;
      run.in = words.data();
      run.out = x;
      run.rows = rows;
      projection_->run(run, threads);
    } else {
      std::copy_n(words.data(), words.size(), x);
    }
    for (size_t i = 0; i < rows; ++i) {
      positions_.add_row(static_cast<size_t>(batch.positions[base + i]), x + i * sizes_.width);
      types_.add_row(static_cast<size_t>(batch.types[base + i]), x + i * sizes_.width);
    }
    scale_.run(x, rows);
  }

 private:
  Sizes sizes_;
  RowTable words_, positions_, types_;
  LinearLayer projection_;
  RowScale scale_;
};

// BERT's layer within a narrower one: in through a bottleneck, several feed-forward branches, out again.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    out->compute_ = reader.compute();
    const size_t narrow = sizes.narrow;
    const auto scaled = [&](const std::string& name, size_t outputs, size_t inputs, float epsilon) {
      return Scaled::load(reader, at + name + ".dense", at + name + ".LayerNorm", outputs, inputs, sizes,
                          epsilon);
    };
    if (sizes.bottleneck) {
      TRY(out->enter_, scaled("bottleneck.input", narrow, sizes.width, sizes.epsilon));
      if (sizes.shares_query) {
        TRY(out->enter_attention_, scaled("bottleneck.attention", narrow, sizes.width, sizes.epsilon));
      }
      TRY(out->leave_, scaled("output.bottleneck", sizes.width, narrow, sizes.epsilon));
    }
    TRY(out->query_key_,
        reader.joined({at + "attention.self.query", at + "attention.self.key"}, {narrow, narrow}, narrow));
    TRY(out->value_,
        reader.linear(at + "attention.self.value", narrow, sizes.narrow_attention ? narrow : sizes.width));
    TRY(out->attention_out_, scaled("attention.output", narrow, narrow, sizes.epsilon));
    for (size_t i = 0; i < sizes.branches; ++i) {
      const bool last = i + 1 == sizes.branches;
      const std::string name = last ? "" : fmt::format("ffn.{}.", i);
      TRY(LinearLayer inner, reader.linear(at + name + "intermediate.dense", sizes.inner, narrow));
      TRY(Scaled branch, scaled(name + "output", narrow, sizes.inner, last ? torch_epsilon : sizes.epsilon));
      out->inner_.push_back(std::move(inner));
      out->branches_.push_back(std::move(branch));
    }
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t rows = batch.starts[last] - batch.starts[first], narrow = sizes_.narrow;
    Floats entered, shared;
    if (sizes_.bottleneck) entered = enter_.run(x, rows, threads);
    if (sizes_.bottleneck && sizes_.shares_query && !sizes_.narrow_attention)
      shared = enter_attention_.run(x, rows, threads);
    const float* input = sizes_.bottleneck ? entered.data() : x;
    const float* asks = shared.size() > 0 ? shared.data() : input;
    const Floats joined = apply(*query_key_, asks, rows, threads);
    const Floats values = apply(*value_, sizes_.narrow_attention ? input : x, rows, threads);
    Floats context(rows * narrow);
    attend_within(batch, first, last,
                  {.query = joined.data(),
                   .key = joined.data() + narrow,
                   .value = values.data(),
                   .query_stride = 2 * narrow,
                   .key_stride = 2 * narrow,
                   .value_stride = narrow,
                   .out = context.data(),
                   .out_stride = narrow,
                   .heads = sizes_.heads,
                   .head_width = narrow / sizes_.heads},
                  compute_, threads);
    Floats rest = attention_out_.run(context.data(), rows, threads, input);
    for (size_t i = 0; i < inner_.size(); ++i) {
      const Floats wide = apply(*inner_[i], rest.data(), rows, threads, sizes_.activation);
      rest = branches_[i].run(wide.data(), rows, threads, rest.data());
    }
    if (sizes_.bottleneck) rest = leave_.run(rest.data(), rows, threads, x);
    std::copy_n(rest.data(), rows * sizes_.width, x);
  }

 private:
  Sizes sizes_;
  tensor::Compute compute_;
  Scaled enter_, enter_attention_, attention_out_, leave_;
  LinearLayer query_key_, value_;
  std::vector<LinearLayer> inner_;
  std::vector<Scaled> branches_;
};

Sizes read_more_sizes(ConfigReader& config, const EncoderPlan& plan) {
  Sizes out;
  out.width = plan.width;
  out.heads = plan.heads;
  out.inner = plan.inner;
  out.vocabulary = plan.vocabulary;
  out.positions = plan.positions;
  out.types = std::max<size_t>(plan.types, 1);
  out.activation = plan.activation;
  out.epsilon = plan.epsilon;
  out.words = config.size({"embedding_size"}, 128, 16'384);
  if (out.words > plan.width)
    config.refuse(fail(Reason::bad_request, "config.json: embedding_size is above hidden_size"));
  out.trigram = config.flag({"trigram_input"}, true);
  out.bottleneck = config.flag({"use_bottleneck"}, true);
  out.narrow = out.bottleneck ? config.size({"intra_bottleneck_size"}, 128, 16'384) : plan.width;
  out.narrow_attention = config.flag({"use_bottleneck_attention"}, false) || !out.bottleneck;
  out.shares_query = config.flag({"key_query_shared_bottleneck"}, true);
  out.branches = config.size({"num_feedforward_networks"}, 4, 64);
  const std::string norm = config.text({"normalization_type"}, "no_norm");
  if (norm == "layer_norm") out.norm = RowScale::Kind::layer;
  if (norm != "layer_norm" && norm != "no_norm")
    config.refuse(
        fail(Reason::model_unsupported,
             fmt::format("config.json: the normalization_type '{}' is not known", norm.substr(0, 60))));
  if (out.narrow % out.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  if (!out.narrow_attention && !out.shares_query && out.narrow != out.width)
    config.refuse(
        fail(Reason::model_unsupported,
             "config.json: queries neither of the bottleneck nor of a shared one are not supported"));
  return out;
}

}  // namespace

// BERT narrowed between layers; its words have a small table and see their neighbours.
void plan_mobilebert(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "relu";
  const size_t layers = read_sizes(config, plan, keys);
  const Sizes sizes = read_more_sizes(config, plan);
  plan.prefixes = {"mobilebert."};
  add_layers(plan, "encoder.layer.", layers);
  plan.types = 0;
  plan.make_embedding = [sizes](const WeightReader& reader, const EncoderPlan&, size_t) {
    return Embedding::load(reader, sizes);
  };
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
  const std::string cls = "cls.predictions.";
  HeadNames heads;
  heads.has_pooler = true;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  if (!config.flag({"classifier_activation"}, true)) heads.pooled = {"", plan.width};
  heads.fill_mask = {{cls + "transform.dense", plan.width, plan.activation, cls + "transform.LayerNorm"},
                     {.linear = cls + "decoder",
                      .outputs = plan.vocabulary,
                      .tied = "embeddings.word_embeddings",
                      .bias_name = cls + "bias",
                      .own_inputs = sizes.words,
                      .rest = cls + "dense"}};
  add_heads(config, plan, heads);
  if (plan.head == Head::none) plan.outputs.front().optional = !heads.pooled.linear.empty();
}

}  // namespace holdfast::model
