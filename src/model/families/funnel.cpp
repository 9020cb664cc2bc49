#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

struct Sizes {
  size_t width = 0, inner = 0, heads = 0, head_width = 0, decoder_layers = 2;
  std::vector<size_t> blocks, repeats;  // Layers of each; how often each of these runs.
  float epsilon = 1e-9F;
  Activation activation = Activation::gelu;
  bool largest = false;  // Of two rows that become one, else their mean.
  bool keeps_first = true, truncates = true, pools_queries_only = true;
  bool decodes = true;  // Heads that read the first row alone need no way back.
  size_t all() const { return heads * head_width; }
};

// What rows are, beside their numbers. Places rise by `stride`.
struct Rows {
  std::vector<int64_t> places, types;
  std::vector<uint8_t> hidden;
  int64_t stride = 1;
  size_t count() const { return places.size(); }
};

// Attention by content, by distance and by whether types are alike, and a feed-forward.
class Layer {
 public:
  static Result<Layer> load(const WeightReader& reader, const Sizes& sizes, const std::string& at) {
    Layer out;
    out.compute_ = reader.compute();
    const std::string self = at + "attention.", wide = at + "ffn.";
    const size_t width = sizes.width, all = sizes.all();
    const auto kind = RowScale::Kind::layer;
    const auto of_heads = [&](const std::string& name) {
      return reader.floats(self + name, {sizes.heads, sizes.head_width});
    };
    TRY(out.query_, reader.linear(self + "q_head", all, width, Bias::without));
    TRY(out.key_value_, reader.joined({self + "k_head", self + "v_head"}, {all, all}, width));
    TRY(out.content_shift_, of_heads("r_w_bias"));
    TRY(out.distance_shift_, of_heads("r_r_bias"));
    TRY(out.type_shift_, of_heads("r_s_bias"));
    TRY(out.types_, reader.floats(self + "seg_embed", {2, sizes.heads, sizes.head_width}));
    TRY(const std::vector<float> kernel,
        reader.floats(self + "r_kernel", {width, sizes.heads, sizes.head_width}));
    std::vector<float> turned(kernel.size());
    for (size_t i = 0; i < width; ++i)
      for (size_t k = 0; k < all; ++k) turned[k * width + i] = kernel[i * all + k];
    TRY(out.distance_, keep_linear(reader, self + "r_kernel", turned, {}, all, width));
    TRY(out.end_.attention_out, reader.linear(self + "post_proj", width, all));
    TRY(out.end_.attention_norm, RowScale::load(reader, self + "layer_norm", width, kind, sizes.epsilon));
    TRY(out.end_.inner, reader.linear(wide + "linear_1", sizes.inner, width));
    TRY(out.end_.out, reader.linear(wide + "linear_2", width, sizes.inner));
    TRY(out.end_.norm, RowScale::load(reader, wide + "layer_norm", width, kind, sizes.epsilon));
    out.end_.activation = sizes.activation;
    return out;
  }

  // x: [queries, E], what asks and what becomes of it; keys: [keys, E], perhaps x itself.
  void run(const Sizes& sizes, const Rows& queries, float* x, const Rows& keys, const float* key_rows,
           tensor::Threads& threads) const {
    const size_t all = sizes.all(), count = queries.count();
    const Floats asked = apply(*query_, x, count, threads);
    const Floats seen = apply(*key_value_, key_rows, keys.count(), threads);
    const Floats content = shifted(asked, content_shift_), by_distance = shifted(asked, distance_shift_),
                 by_type = shifted(asked, type_shift_);
    const int64_t least = queries.places.front() - keys.places.back();
    const Floats distances =
        distances_of(sizes, queries.places.back() - keys.places.front(), least, keys.stride, threads);
    const float scale = 1 / std::sqrt(static_cast<float>(sizes.head_width));
    Floats context(count * all);
    const size_t query_starts[] = {0, count}, key_starts[] = {0, keys.count()};
    tensor::Attention job;
    job.query = content.data();
    job.key = seen.data();
    job.value = seen.data() + all;
    job.out = context.data();
    job.query_stride = job.out_stride = all;
    job.key_stride = job.value_stride = 2 * all;
    job.query_starts = query_starts;
    job.key_starts = key_starts;
    job.heads = job.key_heads = sizes.heads;
    job.head_width = sizes.head_width;
    job.scale = scale;
    job.bias.add = [&](const tensor::AttentionBias::Block& block) {
      const size_t head = block.head * sizes.head_width;
      const auto dot = [&](const float* a, const float* b) {
        float sum = 0;
        for (size_t i = 0; i < sizes.head_width; ++i) sum += a[i] * b[i];
        return sum * scale;
      };
      for (size_t i = 0; i < block.queries; ++i) {
        const size_t query = block.query_from + i;
        const float* typed = by_type.data() + query * all + head;
        const float apart = dot(typed, types_.data() + head), alike = dot(typed, types_.data() + all + head);
        for (size_t key = 0; key < block.keys; ++key) {
          float& score = block.scores[i * block.stride + key];
          if (keys.hidden[key] != 0) score -= 1e6F;  // As where everything is hidden nothing is.
          if (sizes.keeps_first && (query == 0 || key == 0)) continue;
          const auto step =
              static_cast<size_t>((queries.places[query] - keys.places[key] - least) / keys.stride);
          const int64_t own = queries.types[query], other = keys.types[key];
          score += dot(by_distance.data() + query * all + head, distances.data() + step * all + head) +
                   (own == other || own == 2 || other == 2 ? alike : apart);
        }
      }
    };
    tensor::attend(job, compute_, threads);
    end_.run(context.data(), x, count, threads);
  }

 private:
  static Floats shifted(const Floats& rows, const std::vector<float>& shift) {
    Floats out(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) out.data()[i] = rows.data()[i] + shift[i % shift.size()];
    return out;
  }

  // Of each distance from `least` to `most`: its sines and cosines through the layer.
  Floats distances_of(const Sizes& sizes, int64_t most, int64_t least, int64_t stride,
                      tensor::Threads& threads) const {
    const size_t count = static_cast<size_t>((most - least) / stride) + 1, half = sizes.width / 2;
    Floats waves(count * sizes.width);
    for (size_t k = 0; k < half; ++k) {
      const float frequency = 1 / std::pow(10'000.0F, static_cast<float>(k) / static_cast<float>(half));
      for (size_t i = 0; i < count; ++i) {
        const float angle = static_cast<float>(least + static_cast<int64_t>(i) * stride) * frequency;
        waves.data()[i * sizes.width + k] = std::sin(angle);
        waves.data()[i * sizes.width + half + k] = std::cos(angle);
      }
    }
    return apply(*distance_, waves.data(), count, threads);
  }

  tensor::Compute compute_;
  LinearLayer query_, key_value_, distance_;
  std::vector<float> content_shift_, distance_shift_, type_shift_;  // [heads, D]
  std::vector<float> types_;                                        // [2, heads, D]: of others, of alike.
  LayerEnd end_;
};

// All of the model behind its first rows: blocks each of which reads half as many rows as the one before, and
// layers that go back to a row a token.
class Funnel final : public SummingLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes) {
    auto out = std::make_unique<Funnel>();
    out->sizes_ = sizes;
    for (size_t block = 0; block < sizes.blocks.size(); ++block) {
      std::vector<Layer>& layers = out->blocks_.emplace_back();
      for (size_t i = 0; i < sizes.blocks[block]; ++i) {
        TRY(Layer layer, Layer::load(reader, sizes, fmt::format("encoder.blocks.{}.{}.", block, i)));
        layers.push_back(std::move(layer));
      }
    }
    for (size_t i = 0; sizes.decodes && i < sizes.decoder_layers; ++i) {
      TRY(Layer layer, Layer::load(reader, sizes, fmt::format("decoder.layers.{}.", i)));
      out->decoder_.push_back(std::move(layer));
    }
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  // Sums a text up by the first of its fewest rows.
  void run_summing(const TokenBatch& batch, size_t first, size_t last, float* x, float* sums,
                   tensor::Threads& threads) const override {
    for (size_t i = first; i < last; ++i) {
      if (batch.length(i) == 0) continue;
      float* rows = x + (batch.starts[i] - batch.starts[first]) * sizes_.width;
      const Floats fewest = run_text(rows_of(batch, i), rows, threads);
      if (sums != nullptr) std::copy_n(fewest.data(), sizes_.width, sums + (i - first) * sizes_.width);
    }
  }

 private:
  static Rows rows_of(const TokenBatch& batch, size_t sequence) {
    Rows out;
    for (size_t row = batch.starts[sequence]; row < batch.starts[sequence + 1]; ++row) {
      out.places.push_back(static_cast<int64_t>(row - batch.starts[sequence]));
      out.types.push_back(batch.types[row]);
      out.hidden.push_back(batch.padding.empty() ? uint8_t{0} : batch.padding[row]);
    }
    return out;
  }

  // The rows that row i of half as many is made of.
  std::pair<size_t, size_t> halved(size_t i, size_t count) const {
    if (!sizes_.keeps_first) return {2 * i, std::min(2 * i + 1, count - 1)};
    if (i == 0) return {0, 0};
    return {2 * i - 1, std::min(2 * i, count - (sizes_.truncates ? 2 : 1))};
  }

  Rows fewer(const Rows& rows) const {
    const size_t count = rows.count();
    const size_t left = sizes_.keeps_first && !sizes_.truncates ? count / 2 + 1 : (count + 1) / 2;
    Rows out;
    out.stride = 2 * rows.stride;
    for (size_t i = 0; i < left; ++i) {
      const auto [one, other] = halved(i, count);
      out.places.push_back(i == 0 && sizes_.keeps_first ? 1 - out.stride : rows.places[one]);
      out.types.push_back(rows.types[one]);
      out.hidden.push_back(rows.hidden[one] | rows.hidden[other]);
    }
    return out;
  }

  Floats fewer(const Floats& x, size_t count, size_t left) const {
    const size_t width = sizes_.width;
    Floats out(left * width);
    for (size_t i = 0; i < left; ++i) {
      const auto [one, other] = halved(i, count);
      for (size_t k = 0; k < width; ++k) {
        const float a = x.data()[one * width + k], b = x.data()[other * width + k];
        out.data()[i * width + k] = sizes_.largest ? std::max(a, b) : one == other ? a : (a + b) / 2;
      }
    }
    return out;
  }

  static Floats copy_of(const float* x, size_t count) {
    Floats out(count);
    std::copy_n(x, count, out.data());
    return out;
  }

  // What the last block leaves; x becomes what the model does.
  Floats run_text(const Rows& tokens, float* x, tensor::Threads& threads) const {
    const size_t width = sizes_.width;
    Rows rows = tokens;
    Floats hidden = copy_of(x, rows.count() * width), early = copy_of(x, hidden.size());
    size_t runs = 0;
    for (size_t block = 0; block < blocks_.size(); ++block) {
      bool pools = block > 0 && rows.count() > (sizes_.keeps_first ? 2U : 1U);
      for (const Layer& layer : blocks_[block])
        for (size_t repeat = 0; repeat < sizes_.repeats[block]; ++repeat) {
          if (pools) {
            const Rows asking = fewer(rows);
            Floats less = fewer(hidden, rows.count(), asking.count());
            if (sizes_.pools_queries_only)
              layer.run(sizes_, asking, less.data(), rows, hidden.data(), threads);
            else
              layer.run(sizes_, asking, less.data(), asking, less.data(), threads);
            hidden = std::move(less);
            rows = asking;
            pools = false;
          } else {
            layer.run(sizes_, rows, hidden.data(), rows, hidden.data(), threads);
          }
          if (++runs == sizes_.blocks[0]) early = copy_of(hidden.data(), hidden.size());
        }
    }
    if (sizes_.decodes) decode(tokens, hidden, rows.count(), early, x, threads);
    return hidden;
  }

  void decode(const Rows& tokens, const Floats& hidden, size_t count, const Floats& early, float* x,
              tensor::Threads& threads) const {
    const size_t width = sizes_.width, stride = size_t{1} << (blocks_.size() - 1);
    for (size_t row = 0; row < tokens.count(); ++row) {
      const size_t from = !sizes_.keeps_first || stride == 1 ? row / stride
                          : row == 0                         ? 0
                                                             : 1 + (row - 1) / stride;
      for (size_t k = 0; k < width; ++k)
        x[row * width + k] =
            early.data()[row * width + k] + (from < count ? hidden.data()[from * width + k] : 0.0F);
    }
    for (const Layer& layer : decoder_) layer.run(sizes_, tokens, x, tokens, x, threads);
  }

  Sizes sizes_;
  std::vector<std::vector<Layer>> blocks_;
  std::vector<Layer> decoder_;
};

std::vector<size_t> read_counts(ConfigReader& config, std::string_view name, std::vector<size_t> fallback) {
  const boost::json::array* given = config.array(name);
  if (given == nullptr) return fallback;
  std::vector<size_t> out;
  for (const boost::json::value& one : *given)
    out.push_back(one.is_int64() && one.get_int64() > 0 && one.get_int64() <= 64
                      ? static_cast<size_t>(one.get_int64())
                      : 0);
  if (out.empty() || out.size() > 16 || std::find(out.begin(), out.end(), 0U) != out.end()) {
    config.refuse(fail(Reason::bad_request,
                       fmt::format("config.json: {} must be up to 16 numbers from 1 to 64", name)));
    return fallback;
  }
  return out;
}

}  // namespace

// Blocks of layers that read ever fewer rows, by distance alone.
void plan_funnel(ConfigReader& config, EncoderPlan& plan) {
  boost::json::object rest = config.json();
  rest["num_attention_heads"] = 1;  // A head's width is a number of its own.
  ConfigReader reader(rest);
  SizeKeys keys;
  keys.width = {"d_model", "hidden_size"};
  keys.inner = {"d_inner"};
  keys.activation_fallback = "gelu_new";
  read_sizes(reader, plan, keys);
  if (!reader.status().ok()) config.refuse(reader.status().error());
  Sizes sizes;
  sizes.width = plan.width;
  sizes.inner = plan.inner;
  sizes.heads = config.size({"n_head", "num_attention_heads"}, 12, 1'024);
  sizes.head_width = config.size({"d_head"}, 64, 4'096);
  sizes.blocks = read_counts(config, "block_sizes", {4, 4, 4});
  sizes.repeats = read_counts(config, "block_repeats", std::vector<size_t>(sizes.blocks.size(), 1));
  sizes.decoder_layers = config.size_or_zero({"num_decoder_layers"}, 2, 64);
  sizes.epsilon = config.number({"layer_norm_eps"}, 1e-9);
  sizes.activation = plan.activation;
  sizes.keeps_first = config.flag({"separate_cls"}, true);
  sizes.truncates = config.flag({"truncate_seq"}, true);
  sizes.pools_queries_only = config.flag({"pool_q_only"}, true);
  const std::string pooling = config.text({"pooling_type"}, "mean");
  sizes.largest = pooling == "max";
  if (pooling != "mean" && pooling != "max")
    config.refuse(fail(Reason::model_unsupported, "config.json: a pooling_type other than mean and max"));
  if (sizes.repeats.size() != sizes.blocks.size() || plan.width % 2 != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: block_sizes, block_repeats and d_model do not go together"));
  const boost::json::array* names = config.array("architectures");
  if (names != nullptr && !names->empty() && (*names)[0] == "FunnelBaseModel")
    config.refuse(fail(Reason::model_unsupported, "FunnelBaseModel, which answers fewer rows than tokens"));
  sizes.decodes = plan.head != Head::sequence_classification && plan.head != Head::multiple_choice;
  plan.epsilon = sizes.epsilon;
  plan.types = 0;
  plan.positions = config.size({"max_position_embeddings"}, 65'536, 1 << 24);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.prefixes = {"funnel."};
  plan.words = "embeddings.word_embeddings";
  plan.embedding_norm = "embeddings.layer_norm";
  plan.layers.resize(1);
  plan.sums_up = true;
  plan.make_layer = [sizes](const WeightReader& weights, const EncoderPlan&, size_t) {
    return Funnel::load(weights, sizes);
  };
  HeadNames heads;
  heads.pooled = {"classifier.linear_hidden", plan.width, Activation::tanh};
  heads.pooled_rows = HeadPlan::Rows::summary;
  heads.classifier = "classifier.linear_out";
  heads.fill_mask = {{.linear = "lm_head", .outputs = plan.vocabulary, .tied = plan.words}};
  if (plan.head == Head::multiple_choice) {
    plan.outputs.push_back({"logits",
                            heads.pooled_rows,
                            HeadPlan::Shape::choices,
                            {heads.pooled, {"classifier.linear_out", 1}}});
    return;
  }
  if (plan.head == Head::pre_training) {
    add_discriminator(plan);
    return;
  }
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
