#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

struct Sizes {
  size_t width = 0, inner = 0, heads = 0, kernel = 0;  // kernel 0: no convolution.
  float epsilon = 1e-5F;
  Activation activation = Activation::gelu;
};

// BERT's layer with a convolution of each head's values beside its attention, which sees what pads a text
// where that is kept.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    const std::string self = at + "attention.self.";
    const size_t width = sizes.width;
    TRY(out->attention_, JoinedAttention::load(reader, {self + "query", self + "key", self + "value"},
                                               {sizes.heads, width / sizes.heads, width}));
    if (sizes.kernel > 0) {
      TRY(out->taps_, reader.floats(self + "conv.weight", {sizes.heads, 1, sizes.kernel, 1}));
    }
    TRY(out->end_, LayerEnd::load(reader, at, width, sizes.inner, sizes.activation, sizes.epsilon));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t rows = batch.starts[last] - batch.starts[first], width = sizes_.width;
    const Floats joined = attention_.join(x, rows, threads);
    Floats context(rows * width);
    attention_.attend(batch, first, last, joined, context.data(), width, threads);
    if (sizes_.kernel > 0) convolve(batch, first, last, joined.data() + 2 * width, context.data());
    end_.run(context.data(), x, rows, threads);
  }

 private:
  void convolve(const TokenBatch& batch, size_t first, size_t last, const float* values, float* out) const {
    const size_t base = batch.starts[first], width = sizes_.width, each = width / sizes_.heads;
    const size_t reach = sizes_.kernel / 2;
    for (size_t i = first; i < last; ++i) {
      const size_t start = batch.starts[i] - base, end = batch.starts[i + 1] - base;
      for (size_t row = start; row < end; ++row)
        for (size_t tap = 0; tap < sizes_.kernel; ++tap) {
          if (row + tap < start + reach || row + tap - reach >= end) continue;
          const float* value = values + (row + tap - reach) * 3 * width;
          for (size_t head = 0; head < sizes_.heads; ++head) {
            const float weight = taps_[head * sizes_.kernel + tap];
            for (size_t k = head * each; k < (head + 1) * each; ++k)
              out[row * width + k] += weight * value[k];
          }
        }
    }
  }

  Sizes sizes_;
  JoinedAttention attention_;
  std::vector<float> taps_;  // [heads, kernel]
  LayerEnd end_;
};

}  // namespace

// BERT that convolves values too. Its landmarks, which stand for segments of texts of one length alone, are
// as many as that length in what most people have: then they are attention as it is.
void plan_nystromformer(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "gelu_new";
  const size_t layers = read_sizes(config, plan, keys);
  if (!config.has("layer_norm_eps")) plan.epsilon = 1e-5F;
  plan.prefixes = {"nystromformer."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  plan.positions += 2;
  plan.position_offset = 2;
  add_position_table(config, plan, 2);
  if (config.size({"num_landmarks"}, 64) != config.size({"segment_means_seq_len"}, 64))
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: num_landmarks other than segment_means_seq_len are not supported"));
  if (config.flag({"inv_coeff_init_option"}, false))
    config.refuse(fail(Reason::model_unsupported, "config.json: inv_coeff_init_option is not supported"));
  Sizes sizes;
  sizes.width = plan.width;
  sizes.inner = plan.inner;
  sizes.heads = plan.heads;
  sizes.epsilon = plan.epsilon;
  sizes.activation = plan.activation;
  const boost::json::value* kernel = config.json().if_contains("conv_kernel_size");
  if (kernel == nullptr || !kernel->is_null()) sizes.kernel = config.size({"conv_kernel_size"}, 65, 4'095);
  if (sizes.kernel > 0 && sizes.kernel % 2 == 0)
    config.refuse(fail(Reason::bad_request, "config.json: conv_kernel_size must be odd"));
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
  HeadNames heads = bert_heads(plan);
  heads.has_pooler = false;
  heads.pooled = {"classifier.dense", plan.width, plan.activation};
  heads.classifier = "classifier.out_proj";
  if (plan.head == Head::multiple_choice) heads.pooled = {"pre_classifier", plan.width, Activation::relu};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
