#include <algorithm>
#include <boost/json/array.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/layer_parts.h"
#include "model/token_layer.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

struct Sizes {
  size_t width = 0, inner = 0, heads = 0, narrow = 0;
  float epsilon = 1e-12F;
  Activation activation = Activation::gelu;
  bool norms_first = false, adapter_norm = false, reuses_norm = true, adds_normed = true;
  std::string language;
};

// RoBERTa's layer with a narrow one of the text's language behind its feed-forward.
class Layer final : public TokenLayer {
 public:
  static Result<std::unique_ptr<TokenLayer>> load(const WeightReader& reader, const Sizes& sizes,
                                                  const std::string& at) {
    auto out = std::make_unique<Layer>();
    out->sizes_ = sizes;
    const std::string self = at + "attention.self.";
    const size_t width = sizes.width;
    const auto norm = [&](const std::string& name) {
      return RowScale::load(reader, at + name, width, RowScale::Kind::layer, sizes.epsilon);
    };
    TRY(out->attention_, JoinedAttention::load(reader, {self + "query", self + "key", self + "value"},
                                               {sizes.heads, width / sizes.heads, width}));
    TRY(out->attention_out_, reader.linear(at + "attention.output.dense", width, width));
    TRY(out->inner_, reader.linear(at + "intermediate.dense", sizes.inner, width));
    TRY(out->out_, reader.linear(at + "output.dense", width, sizes.inner));
    TRY(out->attention_norm_, norm("attention.output.LayerNorm"));
    TRY(out->norm_, norm("output.LayerNorm"));
    if (sizes.adapter_norm) {
      TRY(out->adapter_norm_, norm("output.adapter_layer_norm"));
    }
    const std::string adapter = at + "output.adapter_modules." + sizes.language;
    TRY(out->narrow_, reader.linear(adapter + ".dense1", sizes.narrow, width));
    TRY(out->widen_, reader.linear(adapter + ".dense2", width, sizes.narrow));
    return std::unique_ptr<TokenLayer>(std::move(out));
  }

  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const override {
    const size_t rows = batch.starts[last] - batch.starts[first], width = sizes_.width;
    Floats normed = normed_first(attention_norm_, x, rows);
    const Floats joined = attention_.join(sizes_.norms_first ? normed.data() : x, rows, threads);
    Floats context(rows * width);
    attention_.attend(batch, first, last, joined, context.data(), width, threads);
    multiply(*attention_out_, context.data(), x, rows, threads, x);
    if (!sizes_.norms_first) attention_norm_.run(x, rows);
    normed = normed_first(norm_, x, rows);
    const Floats wide =
        apply(*inner_, sizes_.norms_first ? normed.data() : x, rows, threads, sizes_.activation);
    multiply(*out_, wide.data(), x, rows, threads, x);
    adapt(x, rows, threads);
    if (!sizes_.norms_first) norm_.run(x, rows);
  }

 private:
  Floats normed_first(const RowScale& norm, const float* x, size_t rows) const {
    if (!sizes_.norms_first) return {};
    Floats out(rows * sizes_.width);
    std::copy_n(x, out.size(), out.data());
    norm.run(out.data(), rows);
    return out;
  }

  void adapt(float* x, size_t rows, tensor::Threads& threads) const {
    Floats read(rows * sizes_.width);
    std::copy_n(x, read.size(), read.data());
    if (sizes_.adapter_norm)
      adapter_norm_.run(read.data(), rows);
    else if (sizes_.reuses_norm)
      norm_.run(read.data(), rows);
    const Floats narrow = apply(*narrow_, read.data(), rows, threads, sizes_.activation);
    multiply(*widen_, narrow.data(), x, rows, threads, sizes_.adds_normed ? read.data() : x);
  }

  Sizes sizes_;
  JoinedAttention attention_;
  LinearLayer attention_out_, inner_, out_, narrow_, widen_;
  RowScale attention_norm_, norm_, adapter_norm_;
};

// The language that texts are taken to be in; refused where it is none of the model's.
std::string language_of(ConfigReader& config) {
  const std::string language = config.text({"default_language"}, "");
  const boost::json::array* languages = config.array("languages");
  const bool known = languages == nullptr
                         ? language == "en_XX"
                         : std::any_of(languages->begin(), languages->end(), [&](const auto& one) {
                             return one.is_string() && one.get_string() == language;
                           });
  if (!known)
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: default_language must name one of the model's languages"));
  return language;
}

}  // namespace

// RoBERTa with a part of its own for each language; default_language says whose is taken.
void plan_xmod(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.prefixes = {"roberta."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  plan.position_kind = EncoderPlan::Positions::past_padding;
  plan.pad_id = static_cast<int64_t>(config.size_or_zero({"pad_token_id"}, 1, 4'000'000));
  add_position_table(config, plan, static_cast<size_t>(plan.pad_id) + 1);
  Sizes sizes;
  sizes.width = plan.width;
  sizes.inner = plan.inner;
  sizes.heads = plan.heads;
  sizes.epsilon = plan.epsilon;
  sizes.activation = plan.activation;
  sizes.norms_first = config.flag({"pre_norm"}, false);
  sizes.adapter_norm = config.flag({"adapter_layer_norm"}, false);
  sizes.reuses_norm = config.flag({"adapter_reuse_layer_norm"}, true);
  sizes.adds_normed = config.flag({"ln_before_adapter"}, true);
  sizes.narrow = plan.width / config.size({"adapter_reduction_factor"}, 2, plan.width);
  sizes.language = language_of(config);
  if (sizes.norms_first) plan.final_norm = "encoder.LayerNorm";
  plan.make_layer = [sizes](const WeightReader& reader, const EncoderPlan& whole, size_t index) {
    return Layer::load(reader, sizes, whole.layers[index].prefix);
  };
  add_heads(config, plan, roberta_heads(plan));
}

}  // namespace holdfast::model
