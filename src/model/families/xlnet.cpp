#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

// Nothing in XLNet hangs on a length; what keys are by distance takes memory by it all the same.
constexpr size_t positions_max = 16'384;

struct Sizes {
  size_t width = 0, heads = 0, head_width = 0, inner = 0;
  int64_t clamp = 0;  // > 0: no distance counts for more.
  float epsilon = 1e-12F;
  Activation activation = Activation::gelu;
};

// [inputs, outputs] the other way around.
std::vector<float> turned(const std::vector<float>& weight, size_t inputs) {
  const size_t outputs = weight.size() / inputs;
  std::vector<float> out(weight.size());
  for (size_t i = 0; i < inputs; ++i)
    for (size_t k = 0; k < outputs; ++k) out[k * inputs + i] = weight[i * outputs + k];
  return out;
}

// Attention by content, by distance and by whether two tokens are of one segment, each with a bias of its own
// on the query; then a feed-forward. Norms follow both.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    out->compute_ = reader.compute();
    out->end_.activation = sizes.activation;
    for (size_t i = 0; i < sizes.width / 2; ++i)
      out->turns_.push_back(1.0F /
                            std::pow(10'000.0F, static_cast<float>(2 * i) / static_cast<float>(sizes.width)));
    const std::string self = at + "rel_attn.";
    const size_t width = sizes.width, heads = sizes.heads, each = sizes.head_width;
    std::vector<float> joined;
    for (const char* name : {"q", "k", "v"}) {
      TRY(const std::vector<float> weight, reader.floats(self + name, {width, heads, each}));
      const std::vector<float> rows = turned(weight, width);
      joined.insert(joined.end(), rows.begin(), rows.end());
    }
    // Queries come with the bias that is for content.
    TRY(std::vector<float> bias, reader.floats(self + "r_w_bias", {heads, each}));
    TRY(out->by_distance_, reader.floats(self + "r_r_bias", {heads, each}));
    TRY(out->by_segment_, reader.floats(self + "r_s_bias", {heads, each}));
    for (size_t i = 0; i < width; ++i) {
      out->by_distance_[i] -= bias[i];
      out->by_segment_[i] -= bias[i];
    }
    bias.resize(3 * width, 0.0F);
    TRY(out->joined_, keep_linear(reader, self + "qkv", joined, bias, 3 * width, width));
    TRY(const std::vector<float> distances, reader.floats(self + "r", {width, heads, each}));
    TRY(out->distances_, keep_linear(reader, self + "r", turned(distances, width), {}, width, width));
    TRY(const std::vector<float> leave, reader.floats(self + "o", {width, heads, each}));
    TRY(out->end_.attention_out, keep_linear(reader, self + "o", leave, {}, width, width));
    TRY(out->segments_, reader.floats(self + "seg_embed", {2, heads, each}));
    const auto norm = [&](const std::string& name) {
      return RowScale::load(reader, at + name, width, RowScale::Kind::layer, sizes.epsilon);
    };
    TRY(out->end_.attention_norm, norm("rel_attn.layer_norm"));
    TRY(out->end_.norm, norm("ff.layer_norm"));
    TRY(out->end_.inner, reader.linear(at + "ff.layer_1", sizes.inner, width));
    TRY(out->end_.out, reader.linear(at + "ff.layer_2", width, sizes.inner));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t base = batch.starts[first], rows = batch.starts[last] - base, width = sizes_.width;
    const Floats joined = apply(*joined_, x, rows, threads);
    size_t reach = 0;
    for (size_t i = first; i < last; ++i)
      if (batch.length(i) > 0)
        reach = std::max(reach, static_cast<size_t>(batch.columns[batch.starts[i + 1] - 1] -
                                                    batch.columns[batch.starts[i]]));
    const Floats table = table_of(reach, threads);
    Floats context(rows * width);
    const SelfAttention attention{.query = joined.data(),
                                  .key = joined.data() + width,
                                  .value = joined.data() + 2 * width,
                                  .query_stride = 3 * width,
                                  .key_stride = 3 * width,
                                  .value_stride = 3 * width,
                                  .out = context.data(),
                                  .out_stride = width,
                                  .heads = sizes_.heads,
                                  .head_width = sizes_.head_width,
                                  .add = [&](const tensor::AttentionBias::Block& block) {
                                    add_distances(batch, first, block, joined.data(), table, reach);
                                  }};
    attend_within(batch, first, last, attention, compute_, threads);
    end_.run(context.data(), x, rows, threads);
  }

 private:
  // What keys are by distance, of -reach to reach in columns: [heads, D, 2 reach + 1], so that a query's sums
  // over a head's numbers run along the keys.
  Floats table_of(size_t reach, tensor::Threads& threads) const {
    const size_t width = sizes_.width, count = 2 * reach + 1, half = width / 2;
    Floats waves(count * width);
    for (size_t row = 0; row < count; ++row) {
      // Distances are of keys to queries here, and of queries to keys in the model.
      auto distance = static_cast<int64_t>(reach) - static_cast<int64_t>(row);
      if (sizes_.clamp > 0) distance = std::clamp(distance, -sizes_.clamp, sizes_.clamp);
      for (size_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(distance) * turns_[i];
        waves.data()[row * width + i] = std::sin(angle);
        waves.data()[row * width + half + i] = std::cos(angle);
      }
    }
    const Floats keys = apply(*distances_, waves.data(), count, threads);
    Floats out(count * width);
    for (size_t row = 0; row < count; ++row)
      for (size_t i = 0; i < width; ++i) out.data()[i * count + row] = keys.data()[row * width + i];
    return out;
  }

  void add_distances(const TokenBatch& batch, size_t first, const tensor::AttentionBias::Block& block,
                     const float* queries, const Floats& table, size_t reach) const {
    const size_t start = batch.starts[first + block.sequence], each = sizes_.head_width;
    const size_t count = 2 * reach + 1, head = block.head * each;
    const float scale = 1.0F / std::sqrt(static_cast<float>(each));
    const int64_t* columns = batch.columns.data() + start;
    const int64_t* types = batch.types.data() + start;
    const bool whole = columns[block.keys - 1] - columns[0] + 1 == static_cast<int64_t>(block.keys);
    for (size_t i = 0; i < block.queries; ++i) {
      const size_t token = block.query_from + i;
      const float* query = queries + (start - batch.starts[first] + token) * 3 * sizes_.width + head;
      float* scores = block.scores + i * block.stride;
      const size_t from = reach - static_cast<size_t>(columns[token] - columns[0]);  // Of the first key.
      float same = 0, other = 0;
      for (size_t k = 0; k < each; ++k) {
        const float factor = scale * (query[k] + by_distance_[head + k]);
        const float* row = table.data() + (head + k) * count + from;
        if (whole)
          for (size_t key = 0; key < block.keys; ++key) scores[key] += factor * row[key];
        else
          for (size_t key = 0; key < block.keys; ++key)
            scores[key] += factor * row[columns[key] - columns[0]];
        const float segment = scale * (query[k] + by_segment_[head + k]);
        same += segment * segments_[head + k];
        other += segment * segments_[sizes_.width + head + k];
      }
      for (size_t key = 0; key < block.keys; ++key) scores[key] += types[key] == types[token] ? same : other;
    }
  }

  Sizes sizes_;
  tensor::Compute compute_;
  LinearLayer joined_, distances_;
  std::vector<float> by_distance_, by_segment_, segments_;
  std::vector<float> turns_;  // [E / 2]
  LayerEnd end_;
};

void refuse(ConfigReader& config, std::string_view what) {
  config.refuse(fail(Reason::model_unsupported, fmt::format("config.json: {} is not supported", what)));
}

bool searches_answers(ConfigReader& config) {
  const boost::json::array* names = config.array("architectures");
  return names != nullptr && !names->empty() && (*names)[0].is_string() &&
         std::string_view((*names)[0].get_string()).ends_with("ForQuestionAnswering");
}

}  // namespace

// Attention by distance instead of positions; texts end with the token that sums them up. Its head that
// writes counts as none: the rows beneath it are what a bare model answers.
void plan_xlnet(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.width = {"d_model", "hidden_size"};
  keys.layers = {"n_layer", "num_hidden_layers"};
  keys.heads = {"n_head", "num_attention_heads"};
  keys.inner = {"d_inner"};
  keys.activation = {"ff_activation"};
  const size_t layers = read_sizes(config, plan, keys);
  plan.vocabulary = config.size({"vocab_size", "n_token"}, 32'000, 4'000'000);
  plan.positions = positions_max;
  plan.types = 0;  // Types are compared, not looked up.
  plan.zeroes_padding = true;
  plan.prefixes = {"transformer."};
  plan.words = "word_embedding";
  plan.position_kind = EncoderPlan::Positions::none;
  add_layers(plan, "layer.", layers);
  Sizes sizes;
  sizes.width = plan.width;
  sizes.heads = plan.heads;
  sizes.head_width = plan.head_width;
  sizes.inner = plan.inner;
  sizes.epsilon = plan.epsilon;
  sizes.activation = plan.activation;
  if (const float clamp = config.number({"clamp_len"}, -1); clamp > 0)
    sizes.clamp = static_cast<int64_t>(std::min(clamp, 1e6F));
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
  if (config.text({"attn_type"}, "bi") != "bi") refuse(config, "an attn_type other than 'bi'");
  if (config.flag({"bi_data"}, false)) refuse(config, "bi_data");
  if (config.size({"d_head"}, plan.head_width, 16'384) != plan.head_width)
    refuse(config, "a d_head other than d_model / n_head");
  if (plan.width % 2 != 0) refuse(config, "an odd d_model");
  if (plan.head == Head::question_answering && searches_answers(config))
    refuse(config, "a head that searches answers (only ForQuestionAnsweringSimple is)");
  HeadNames heads;
  heads.classifier = "logits_proj";
  if (plan.head == Head::sequence_classification || plan.head == Head::multiple_choice)
    read_summary(config, plan, heads, {.type = "last", .activation = "tanh", .projects = true});
  heads.counts_padding = false;
  add_heads(config, plan, heads);
  if (plan.head == Head::multiple_choice) plan.outputs.front().steps.back().linear = "logits_proj";
}

}  // namespace holdfast::model
