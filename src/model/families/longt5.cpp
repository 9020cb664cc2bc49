#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "model/distance_bias.h"
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
  size_t radius = 127;  // Tokens see those at most so far away,
  size_t block = 16;    // and a sum of each block of so many; those over belong to the last whole one.
  bool gated = false;
  float epsilon = 1e-6F;
  Activation activation = Activation::relu;
  DistanceBias near, side;  // By tokens, by blocks.
  size_t all() const { return heads * head_width; }
};

// T5's layer whose tokens see near ones and sums of blocks of the whole text.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    constexpr auto norm = RowScale::Kind::root_mean_square;
    constexpr auto gated = tensor::OutputLayout::gated;
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    out->compute_ = reader.compute();
    const size_t all = sizes.all(), width = sizes.width, inner = sizes.inner;
    const std::string self = at + "layer.0.TransientGlobalSelfAttention.",
                      wide = at + "layer.1.DenseReluDense.";
    TRY(out->joined_,
        reader.joined({self + "q", self + "k", self + "v"}, {all, all, all}, width, Bias::without));
    TRY(out->side_, reader.joined({self + "k", self + "v"}, {all, all}, width, Bias::without));
    TRY(out->attention_out_, reader.linear(self + "o", width, all, Bias::without));
    TRY(out->norm_, RowScale::load(reader, at + "layer.0.layer_norm", width, norm, sizes.epsilon));
    TRY(out->side_norm_,
        RowScale::load(reader, self + "global_input_layer_norm", width, norm, sizes.epsilon));
    TRY(out->inner_norm_, RowScale::load(reader, at + "layer.1.layer_norm", width, norm, sizes.epsilon));
    if (sizes.gated) {
      TRY(out->inner_,
          reader.joined({wide + "wi_0", wide + "wi_1"}, {inner, inner}, width, Bias::without, gated));
    } else {
      TRY(out->inner_, reader.linear(wide + "wi", inner, width, Bias::without));
    }
    TRY(out->out_, reader.linear(wide + "wo", width, inner, Bias::without));
    TRY(out->near_bias_, DistanceBiasTable::load(sizes.near, sizes.heads, reader));
    TRY(out->side_bias_, DistanceBiasTable::load(sizes.side, sizes.heads, reader));
    out->by_distance_ = out->near_bias_.by_distance(sizes.radius);
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t base = batch.starts[first], rows = batch.starts[last] - base, width = sizes_.width;
    Floats normed(rows * width), context(rows * sizes_.all());
    std::copy_n(x, rows * width, normed.data());
    norm_.run(normed.data(), rows);
    const Floats joined = apply(*joined_, normed.data(), rows, threads);
    for (size_t i = first; i < last; ++i) {
      const size_t row = batch.starts[i] - base;
      attend(normed.data() + row * width, joined.data() + row * 3 * sizes_.all(), batch.length(i),
             context.data() + row * sizes_.all(), threads);
    }
    const Floats attended = apply(*attention_out_, context.data(), rows, threads, Activation::none, x);
    std::copy_n(attended.data(), rows * width, normed.data());
    inner_norm_.run(normed.data(), rows);
    const Floats wide = apply(*inner_, normed.data(), rows, threads, sizes_.activation);
    const Floats out = apply(*out_, wide.data(), rows, threads, Activation::none, attended.data());
    std::copy_n(out.data(), rows * width, x);
  }

 private:
  // Keys and values of the sums of blocks: [blocks, 2 all].
  Floats sides_of(const float* normed, size_t length, size_t blocks, tensor::Threads& threads) const {
    const size_t width = sizes_.width;
    Floats sums(blocks * width);
    std::fill_n(sums.data(), sums.size(), 0.0F);
    for (size_t row = 0; blocks > 0 && row < length; ++row) {
      float* sum = sums.data() + std::min(row / sizes_.block, blocks - 1) * width;
      for (size_t i = 0; i < width; ++i) sum[i] += normed[row * width + i];
    }
    side_norm_.run(sums.data(), blocks);
    return apply(*side_, sums.data(), blocks, threads);
  }

  // One sequence; some queries at a time see the sums and what is near any of them.
  void attend(const float* normed, const float* joined, size_t length, float* out,
              tensor::Threads& threads) const {
    const size_t all = sizes_.all(), blocks = length / sizes_.block, step = sizes_.radius + 1;
    const Floats sides = sides_of(normed, length, blocks, threads);
    const std::vector<float> by_block = side_bias_.by_distance(std::max<size_t>(blocks, 1));
    const size_t reach = std::max<size_t>(blocks, 1);
    Floats seen((blocks + 3 * step) * 2 * all);
    std::copy_n(sides.data(), sides.size(), seen.data());
    for (size_t from = 0; from < length; from += step) {
      const size_t queries = std::min(step, length - from), left = from - std::min(from, sizes_.radius),
                   right = std::min(length, from + queries + sizes_.radius);
      for (size_t row = left; row < right; ++row)
        std::copy_n(joined + row * 3 * all + all, 2 * all, seen.data() + (blocks + row - left) * 2 * all);
      const size_t query_starts[] = {0, queries}, key_starts[] = {0, blocks + right - left};
      tensor::Attention job;
      job.query = joined + from * 3 * all;
      job.key = seen.data();
      job.value = seen.data() + all;
      job.out = out + from * all;
      job.query_stride = 3 * all;
      job.key_stride = job.value_stride = 2 * all;
      job.out_stride = all;
      job.query_starts = query_starts;
      job.key_starts = key_starts;
      job.heads = job.key_heads = sizes_.heads;
      job.head_width = sizes_.head_width;
      job.scale = 1;
      job.bias.add = [&](const tensor::AttentionBias::Block& block) {
        add_bias(block, {from, left, blocks, reach}, by_block);
      };
      tensor::attend(job, compute_, threads);
    }
  }

  struct Place {
    size_t from = 0, left = 0, blocks = 0, reach = 0;
  };
  void add_bias(const tensor::AttentionBias::Block& block, Place place,
                const std::vector<float>& by_block) const {
    const float* far = by_block.data() + block.head * (2 * place.reach + 1) + place.reach;
    const float* near = by_distance_.data() + block.head * (2 * sizes_.radius + 1) + sizes_.radius;
    for (size_t i = 0; i < block.queries; ++i) {
      const size_t query = place.from + block.query_from + i;
      float* scores = block.scores + i * block.stride;
      const size_t own = place.blocks > 0 ? std::min(query / sizes_.block, place.blocks - 1) : 0;
      for (size_t key = 0; key < place.blocks; ++key)
        scores[key] += far[static_cast<ptrdiff_t>(key) - static_cast<ptrdiff_t>(own)];
      for (size_t key = place.blocks; key < block.keys; ++key) {
        const auto distance =
            static_cast<ptrdiff_t>(place.left + key - place.blocks) - static_cast<ptrdiff_t>(query);
        if (distance > static_cast<ptrdiff_t>(sizes_.radius) ||
            -distance > static_cast<ptrdiff_t>(sizes_.radius))
          scores[key] = -std::numeric_limits<float>::infinity();
        else
          scores[key] += near[distance];
      }
    }
  }

  Sizes sizes_;
  tensor::Compute compute_;
  LinearLayer joined_, side_, attention_out_, inner_, out_;
  RowScale norm_, side_norm_, inner_norm_;
  DistanceBiasTable near_bias_, side_bias_;
  std::vector<float> by_distance_;  // [heads, 2 radius + 1]
};

}  // namespace

// T5 for long texts: its encoder sees near tokens only, of some checkpoints sums of all blocks beside them.
void plan_longt5_encoder(ConfigReader& config, EncoderPlan& plan) {
  plan_t5_encoder(config, plan);
  Sizes sizes;
  sizes.radius = config.size({"local_radius"}, 127, 65'536);
  sizes.block = config.size({"global_block_size"}, 16, 65'536);
  const std::string kind = config.text({"encoder_attention_type"}, "local");
  const std::string self =
      kind == "local" ? "layer.0.LocalSelfAttention." : "layer.0.TransientGlobalSelfAttention.";
  plan.distance_bias->table = "encoder.block.0." + self + "relative_attention_bias";
  if (kind == "local") {
    plan.query = self + "q";
    plan.key = self + "k";
    plan.value = self + "v";
    plan.attention_out = self + "o";
    for (EncoderPlan::LayerKind& layer : plan.layers) layer.window = sizes.radius;
    return;
  }
  if (kind != "transient-global")
    config.refuse(
        fail(Reason::model_unsupported,
             fmt::format("config.json: the encoder_attention_type '{}' is not known", kind.substr(0, 60))));
  sizes.width = plan.width;
  sizes.heads = plan.heads;
  sizes.head_width = plan.head_width;
  sizes.inner = plan.inner;
  sizes.gated = plan.gated;
  sizes.epsilon = plan.epsilon;
  sizes.activation = plan.activation;
  sizes.near = sizes.side = *plan.distance_bias;
  sizes.side.table = "encoder.block.0." + self + "global_relative_attention_bias";
  plan.distance_bias.reset();
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
}

void plan_longt5(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_t5(config, plan);
  plan.encoder.layers.clear();
  plan_longt5_encoder(config, plan.encoder);
}

}  // namespace holdfast::model
