#include <cmath>
#include <numeric>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

constexpr float torch_epsilon = 1e-5F;  // Of all its norms; no configuration speaks of them.

struct Sizes {
  size_t width = 0, inner = 0, heads = 0;
  Activation activation = Activation::silu;
  Bias attention_bias = Bias::without, inner_bias = Bias::without;
  RopeSpec rope;
  float share = 1;  // Of a branch that is added.
};

// Llama's layer in both directions, with layer norms, those of queries and keys across all heads.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    out->kernels_ = &tensor::kernels_for(reader.compute().isa);
    const std::string self = at + "self_attn.";
    const size_t width = sizes.width;
    TRY(out->attention_,
        JoinedAttention::load(reader, {self + "q_proj", self + "k_proj", self + "v_proj"},
                              {sizes.heads, width / sizes.heads, width}, sizes.attention_bias));
    TRY(out->attention_out_, reader.linear(self + "o_proj", width, width, sizes.attention_bias));
    TRY(out->inner_, reader.joined({at + "mlp.gate_proj", at + "mlp.up_proj"}, {sizes.inner, sizes.inner},
                                   width, sizes.inner_bias, tensor::OutputLayout::gated));
    TRY(out->out_, reader.linear(at + "mlp.down_proj", width, sizes.inner, sizes.inner_bias));
    TRY(out->query_norm_, reader.norm(self + "q_norm", width, Bias::without));
    TRY(out->key_norm_, reader.norm(self + "k_norm", width, Bias::without));
    TRY(out->attention_norm_, reader.norm(at + "input_layernorm", width));
    TRY(out->inner_norm_, reader.norm(at + "post_attention_layernorm", width));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t rows = batch.starts[last] - batch.starts[first], width = sizes_.width;
    Floats read(rows * width), context(rows * width);
    normalize(attention_norm_, x, read.data(), rows);
    Floats joined = attention_.join(read.data(), rows, threads);
    for (size_t row = 0; row < rows; ++row) {
      float* queries = joined.data() + row * 3 * width;
      normalize(query_norm_, queries, queries, 1);
      normalize(key_norm_, queries + width, queries + width, 1);
    }
    rotate(batch, batch.starts[first], rows, joined.data());
    attention_.attend(batch, first, last, joined, context.data(), width, threads);
    add(apply(*attention_out_, context.data(), rows, threads), x);
    normalize(inner_norm_, x, read.data(), rows);
    const Floats wide = apply(*inner_, read.data(), rows, threads, sizes_.activation);
    add(apply(*out_, wide.data(), rows, threads), x);
  }

 private:
  void normalize(const Norm& norm, const float* in, float* out, size_t rows) const {
    kernels_->layer_norm({in, out, norm.gamma.data(), norm.beta.data(), rows, sizes_.width, torch_epsilon});
  }
  void add(const Floats& branch, float* x) const {
    for (size_t i = 0; i < branch.size(); ++i) x[i] += branch.data()[i] * sizes_.share;
  }
  void rotate(const TokenBatch& batch, size_t row, size_t rows, float* joined) const {
    std::vector<int64_t> places(rows);
    std::iota(places.begin(), places.end(), 0);
    tensor::RopeJob job;
    job.data = joined;
    job.heads = 2 * sizes_.heads;  // Queries, and keys beside them.
    job.head_width = sizes_.width / sizes_.heads;
    job.stride = 3 * sizes_.width;
    job.positions = places;
    job.pairs = sizes_.rope.pairs;
    tensor::rotate(rope_rows(sizes_.rope, std::span(batch.positions).subspan(row, rows),
                             std::span(batch.lengths).subspan(row, rows)),
                   job);
  }

  Sizes sizes_;
  JoinedAttention attention_;
  const tensor::Kernels* kernels_ = nullptr;
  LinearLayer attention_out_, inner_, out_;
  Norm query_norm_, key_norm_, attention_norm_, inner_norm_;
};

}  // namespace

// Proteins letter by letter, as Llama in both directions.
void plan_esmc(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "silu";
  const size_t layers = read_sizes(config, plan, keys);
  plan.types = 0;
  plan.epsilon = torch_epsilon;
  plan.prefixes = {"esmc."};
  plan.words = "embed_tokens";
  plan.position_kind = EncoderPlan::Positions::none;
  plan.final_norm = "norm";
  plan.norm_bias = Bias::without;
  plan.zeroes_padding = true;
  add_layers(plan, "layers.", layers);
  if (config.size({"num_key_value_heads"}, plan.heads, 1'024) != plan.heads)
    config.refuse(fail(Reason::bad_request, "config.json: heads of keys are not those of queries"));
  Sizes sizes;
  sizes.width = plan.width;
  sizes.inner = plan.inner;
  sizes.heads = plan.heads;
  sizes.activation = plan.activation;
  if (config.flag({"attention_bias"}, false)) sizes.attention_bias = Bias::with;
  if (config.flag({"mlp_bias"}, false)) sizes.inner_bias = Bias::with;
  sizes.rope = read_rope(config, plan.head_width, {10'000});
  sizes.share = std::sqrt(36.0F / static_cast<float>(layers));
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
  HeadNames heads = roberta_heads(plan);
  heads.has_pooler = false;
  heads.token_classifier = "score";
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
