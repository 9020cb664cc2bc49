#include <algorithm>
#include <cmath>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

struct Sizes {
  size_t width = 0, inner = 0, heads = 0, head_width = 0, kernel = 9, groups = 1;
  float epsilon = 1e-12F;
  Activation activation = Activation::gelu;
  size_t all() const {
    return heads * head_width;
  }  // Half the width: attention has one, the convolution one.
};

// Groups of inputs with outputs of their own, filled up with zeros. `weight` is [groups, in, out] then.
Result<LinearLayer> load_grouped(const WeightReader& reader, const std::string& name, size_t outputs,
                                 size_t inputs, size_t groups) {
  if (groups == 1) return reader.linear(name, outputs, inputs);
  const size_t in = inputs / groups, out = outputs / groups;
  TRY(const std::vector<float> weight, reader.floats(name + ".weight", {groups, in, out}));
  TRY(const std::vector<float> bias, reader.floats(name + ".bias", {outputs}));
  std::vector<float> whole(outputs * inputs, 0.0F);
  for (size_t group = 0; group < groups; ++group)
    for (size_t i = 0; i < in; ++i)
      for (size_t k = 0; k < out; ++k)
        whole[(group * out + k) * inputs + group * in + i] = weight[(group * in + i) * out + k];
  return keep_linear(reader, name, whole, bias, outputs, inputs);
}

// Half of BERT's attention heads beside a convolution whose taps each token chooses itself, which sees what
// pads a text where that is kept.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    const std::string self = at + "attention.self.";
    const size_t all = sizes.all(), width = sizes.width;
    TRY(out->attention_,
        JoinedAttention::load(reader, {self + "query", self + "key", self + "value", self + "conv_out_layer"},
                              {sizes.heads, sizes.head_width, width}));
    TRY(const std::vector<float> taps,
        reader.floats(self + "key_conv_attn_layer.depthwise.weight", {width, 1, sizes.kernel}));
    out->taps_.resize(taps.size());
    for (size_t channel = 0; channel < width; ++channel)
      for (size_t tap = 0; tap < sizes.kernel; ++tap)
        out->taps_[tap * width + channel] = taps[channel * sizes.kernel + tap];
    TRY(const std::vector<float> point,
        reader.matrix(self + "key_conv_attn_layer.pointwise.weight", all, width));
    TRY(const std::vector<float> bias, reader.floats(self + "key_conv_attn_layer.bias", {all, 1}));
    TRY(out->point_, keep_linear(reader, self + "key_conv_attn_layer", point, bias, all, width));
    TRY(out->chooser_, reader.linear(self + "conv_kernel_layer", sizes.heads * sizes.kernel, all));
    TRY(out->end_, LayerEnd::load_norms(reader, at, width, sizes.activation, sizes.epsilon));
    TRY(out->end_.inner, load_grouped(reader, at + "intermediate.dense", sizes.inner, width, sizes.groups));
    TRY(out->end_.out, load_grouped(reader, at + "output.dense", width, sizes.inner, sizes.groups));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t rows = batch.starts[last] - batch.starts[first], all = sizes_.all(), width = sizes_.width;
    const Floats joined = attention_.join(x, rows, threads);
    Floats context(rows * width);  // Attention's half, then the convolution's.
    attention_.attend(batch, first, last, joined, context.data(), width, threads);
    const Floats chosen = choose(batch, first, last, x, joined.data(), threads);
    convolve(batch, first, last, joined.data() + 3 * all, chosen.data(), context.data() + all);
    end_.run(context.data(), x, rows, threads);
  }

 private:
  // Which neighbour a tap of a token stands on; less than 0: none.
  struct Span {
    size_t first_tap, last_tap, first_row;
  };
  Span span_of(size_t row, size_t start, size_t end) const {
    const size_t reach = sizes_.kernel / 2, before = std::min(row - start, reach);
    return {reach - before, std::min(sizes_.kernel, reach + end - row), row - before};
  }

  // The weights of each token's taps: [tokens, heads, kernel].
  Floats choose(const TokenBatch& batch, size_t first, size_t last, const float* x, const float* queries,
                tensor::Threads& threads) const {
    const size_t base = batch.starts[first], rows = batch.starts[last] - base;
    const size_t width = sizes_.width, all = sizes_.all();
    Floats near(rows * width);
    std::fill_n(near.data(), near.size(), 0.0F);
    for (size_t i = first; i < last; ++i)
      for (size_t row = batch.starts[i] - base; row < batch.starts[i + 1] - base; ++row) {
        const Span span = span_of(row, batch.starts[i] - base, batch.starts[i + 1] - base);
        for (size_t tap = span.first_tap, other = span.first_row; tap < span.last_tap; ++tap, ++other)
          for (size_t k = 0; k < width; ++k)
            near.data()[row * width + k] += x[other * width + k] * taps_[tap * width + k];
      }
    Floats keys = apply(*point_, near.data(), rows, threads);
    for (size_t row = 0; row < rows; ++row)
      for (size_t k = 0; k < all; ++k) keys.data()[row * all + k] *= queries[row * 4 * all + k];
    Floats out = apply(*chooser_, keys.data(), rows, threads);
    for (size_t at = 0; at < out.size(); at += sizes_.kernel) {
      float* taps = out.data() + at;
      const float most = *std::max_element(taps, taps + sizes_.kernel);
      float sum = 0;
      for (size_t k = 0; k < sizes_.kernel; ++k) sum += taps[k] = std::exp(taps[k] - most);
      for (size_t k = 0; k < sizes_.kernel; ++k) taps[k] /= sum;
    }
    return out;
  }

  void convolve(const TokenBatch& batch, size_t first, size_t last, const float* values, const float* chosen,
                float* out) const {
    const size_t base = batch.starts[first], all = sizes_.all(), each = sizes_.head_width;
    for (size_t i = first; i < last; ++i)
      for (size_t row = batch.starts[i] - base; row < batch.starts[i + 1] - base; ++row) {
        float* into = out + row * sizes_.width;
        std::fill_n(into, all, 0.0F);
        const Span span = span_of(row, batch.starts[i] - base, batch.starts[i + 1] - base);
        for (size_t tap = span.first_tap, other = span.first_row; tap < span.last_tap; ++tap, ++other)
          for (size_t head = 0; head < sizes_.heads; ++head) {
            const float weight = chosen[(row * sizes_.heads + head) * sizes_.kernel + tap];
            for (size_t k = head * each; k < (head + 1) * each; ++k)
              into[k] += weight * values[other * 4 * all + k];
          }
      }
  }

  Sizes sizes_;
  JoinedAttention attention_;
  LinearLayer point_, chooser_;
  std::vector<float> taps_;  // [kernel, E]
  LayerEnd end_;
};

}  // namespace

// ELECTRA whose attention shares its heads with a convolution.
void plan_convbert(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.embedding_width = config.size({"embedding_size"}, 768, 16'384);
  plan.prefixes = {"convbert."};
  name_as_bert(plan);
  if (plan.embedding_width != plan.width) plan.embedding_projection = "embeddings_project";
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  Sizes sizes;
  sizes.width = plan.width;
  sizes.inner = plan.inner;
  sizes.activation = plan.activation;
  sizes.epsilon = plan.epsilon;
  sizes.heads = std::max<size_t>(plan.heads / config.size({"head_ratio"}, 2, 1'024), 1);
  sizes.head_width = plan.width / sizes.heads / 2;
  sizes.kernel = config.size({"conv_kernel_size"}, 9, 1'023);
  sizes.groups = config.size({"num_groups"}, 1, 1'024);
  if (plan.width % sizes.heads != 0 || 2 * sizes.all() != plan.width || plan.width % sizes.groups != 0 ||
      plan.inner % sizes.groups != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: hidden_size, head_ratio and num_groups do not go together"));
  if (sizes.kernel % 2 == 0)
    config.refuse(fail(Reason::bad_request, "config.json: conv_kernel_size must be odd"));
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
  HeadNames heads;
  heads.pooled = {"classifier.dense", plan.width, plan.activation};
  heads.classifier = "classifier.out_proj";
  if (plan.head == Head::multiple_choice)
    read_summary(config, plan, heads, {.type = "last", .activation = ""});
  heads.fill_mask = {{"generator_predictions.dense", plan.embedding_width, Activation::gelu,
                      "generator_predictions.LayerNorm"},
                     {.linear = "generator_lm_head", .outputs = plan.vocabulary, .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
