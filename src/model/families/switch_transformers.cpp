#include <algorithm>

#include "model/distance_bias.h"
#include "model/experts.h"
#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/families/seq2seqs.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

struct Sizes {
  size_t width = 0, heads = 0, head_width = 0, inner = 0;
  float epsilon = 1e-6F;
  Activation activation = Activation::relu;
  DistanceBias distances;
  ExpertsPlan experts;
};

// T5's layer, whose feed-forward may be several of which each token takes one.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at, bool sparse) {
    constexpr auto norm = RowScale::Kind::root_mean_square;
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    out->compute_ = reader.compute();
    out->kernels_ = &tensor::kernels_for(out->compute_.isa);
    const size_t width = sizes.width, all = sizes.heads * sizes.head_width;
    const std::string self = at + "layer.0.SelfAttention.", wide = at + "layer.1.mlp.";
    TRY(out->attention_, JoinedAttention::load(reader, {self + "q", self + "k", self + "v"},
                                               {sizes.heads, sizes.head_width, width}, Bias::without));
    TRY(out->attention_out_, reader.linear(self + "o", width, all, Bias::without));
    TRY(out->norm_, RowScale::load(reader, at + "layer.0.layer_norm", width, norm, sizes.epsilon));
    TRY(out->inner_norm_, RowScale::load(reader, at + "layer.1.layer_norm", width, norm, sizes.epsilon));
    TRY(out->distances_, DistanceBiasTable::load(sizes.distances, sizes.heads, reader));
    out->by_distance_ = out->distances_.by_distance(out->distances_.reach_max());
    if (!sparse) {
      TRY(out->inner_, reader.linear(wide + "wi", sizes.inner, width, Bias::without));
      TRY(out->out_, reader.linear(wide + "wo", width, sizes.inner, Bias::without));
      return std::unique_ptr<TokenLayer>(std::move(out));
    }
    DecoderPlan plan;  // Of which experts read these.
    plan.width = width;
    plan.activation = sizes.activation;
    plan.gated = false;
    plan.experts = sizes.experts;
    TRY(out->experts_, Experts::load(plan, DecoderWeights(plan, reader), at));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t rows = batch.starts[last] - batch.starts[first], width = sizes_.width;
    Floats normed(rows * width), context(rows * attention_.width());
    std::copy_n(x, rows * width, normed.data());
    norm_.run(normed.data(), rows);
    const Floats joined = attention_.join(normed.data(), rows, threads);
    SelfAttention job = attention_.job(joined, context.data(), attention_.width());
    job.scale = 1;
    set_bias(batch, first, last, job);
    attend_within(batch, first, last, job, compute_, threads);
    multiply(*attention_out_, context.data(), x, rows, threads, x);
    std::copy_n(x, rows * width, normed.data());
    inner_norm_.run(normed.data(), rows);
    if (!experts_) {
      const Floats wide = apply(*inner_, normed.data(), rows, threads, sizes_.activation);
      return multiply(*out_, wide.data(), x, rows, threads, x);
    }
    std::vector<size_t> starts;
    for (size_t i = first; i <= last; ++i) starts.push_back(batch.starts[i] - batch.starts[first]);
    experts_->run(*kernels_, normed.data(), context_room(context, rows * width), rows, threads, starts);
    kernels_->add(x, context.data(), rows * width);
  }

 private:
  static float* context_room(Floats& context, size_t count) {
    if (context.size() < count) context = Floats(count);
    return context.data();
  }

  // By rows where these follow each other in the padded text, else by its columns.
  void set_bias(const TokenBatch& batch, size_t first, size_t last, SelfAttention& job) const {
    bool whole = true;
    for (size_t i = first; i < last; ++i)
      whole &= batch.length(i) == 0 ||
               batch.columns[batch.starts[i + 1] - 1] - batch.columns[batch.starts[i]] + 1 ==
                   static_cast<int64_t>(batch.length(i));
    if (whole) {
      job.by_distance = by_distance_.data();
      job.reach = distances_.reach_max();
      return;
    }
    job.add = [this, &batch, first](const tensor::AttentionBias::Block& block) {
      const size_t sequence = first + block.sequence;
      distances_.add({batch.columns.data() + batch.starts[sequence], batch.length(sequence)}, block);
    };
  }

  Sizes sizes_;
  tensor::Compute compute_;
  const tensor::Kernels* kernels_ = nullptr;
  JoinedAttention attention_;
  LinearLayer attention_out_, inner_, out_;
  RowScale norm_, inner_norm_;
  DistanceBiasTable distances_;
  std::vector<float> by_distance_;
  std::optional<Experts> experts_;
};

ExpertsPlan read_experts(ConfigReader& config, const std::string& at, size_t inner) {
  ExpertsPlan out;
  out.count = config.size({"num_experts"}, 8, 4'096);
  out.picked = 1;
  out.inner = inner;
  out.normalized = false;
  out.gated = false;
  out.before_number = ".expert_";
  out.router = at + "mlp.router.classifier";
  out.experts = at + "mlp.experts";
  out.up = "wi";
  out.down = "wo";
  if (config.text({"router_dtype"}, "float32") != "float32")
    config.refuse(
        fail(Reason::model_unsupported, "config.json: a router_dtype other than float32 is not supported"));
  return out;
}

// Every few layers have experts, so that these are `sparse` in all.
std::vector<bool> sparse_layers(ConfigReader& config, std::string_view key, size_t layers) {
  const size_t sparse = config.size_or_zero({key}, 3, 1'024);
  const size_t step = sparse > 0 ? layers / sparse : layers;
  std::vector<bool> out(layers);
  for (size_t i = 0; i < layers; ++i) out[i] = step == 1 || (step > 1 && i % step == 1);
  return out;
}

}  // namespace

void plan_switch_encoder(ConfigReader& config, EncoderPlan& plan) {
  plan_t5_encoder(config, plan);
  plan.activation = read_activation(config, {"dense_act_fn"}, "relu");
  if (!config.flag({"tie_word_embeddings"}, true)) {  // Each side has words of its own then.
    plan.words = "encoder.embed_tokens";
    plan.renames = {{"encoder.embed_tokens", "shared"}, {"decoder.embed_tokens", "shared"}};
  }
  Sizes sizes;
  sizes.width = plan.width;
  sizes.heads = plan.heads;
  sizes.head_width = plan.head_width;
  sizes.inner = plan.inner;
  sizes.epsilon = plan.epsilon;
  sizes.activation = plan.activation;
  sizes.distances = *plan.distance_bias;
  sizes.experts = read_experts(config, "layer.1.", plan.inner);
  sizes.experts.capacity = config.size({"expert_capacity"}, 64, 1 << 24);
  plan.distance_bias.reset();
  const std::vector<bool> sparse = sparse_layers(config, "num_sparse_encoder_layers", plan.layers.size());
  plan.make_layer = [sizes, sparse](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix, sparse[index]);
  };
}

// T5 with experts. How many tokens of a text one of them takes is bounded where the text is read; where it is
// written each comes alone.
void plan_switch_transformers(ConfigReader& config, Seq2SeqPlan& whole) {
  plan_t5(config, whole);
  whole.encoder.layers.clear();
  plan_switch_encoder(config, whole.encoder);
  DecoderPlan& plan = whole.decoder;
  plan.activation = whole.encoder.activation;
  whole.renames = whole.encoder.renames;
  if (!config.flag({"tie_word_embeddings"}, true)) plan.words = "decoder.embed_tokens";
  plan.up = "layer.2.mlp.wi";
  plan.down = "layer.2.mlp.wo";
  plan.experts = read_experts(config, "layer.2.", plan.inner);
  const std::vector<bool> sparse = sparse_layers(config, "num_sparse_decoder_layers", plan.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].experts = sparse[i];
}

}  // namespace holdfast::model
