#include <fmt/format.h>

#include <cmath>

#include "model/config_reader.h"
#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"
#include "model/families/labels.h"
#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {
namespace {

// Nothing in T5 hangs on a length; texts end somewhere all the same.
constexpr size_t positions_max = 65'536;

struct Inner {
  Activation activation = Activation::none;
  bool gated = false;
};

// "relu", "gated-gelu": what follows "gated-" is the activation, and "gated-gelu" means the new one.
Inner read_inner(ConfigReader& config, std::string_view fallback) {
  const std::string said = config.text({"feed_forward_proj"}, fallback);
  Inner out;
  out.gated = said.starts_with("gated-");
  const std::string name = said == "gated-gelu" ? "gelu_new" : out.gated ? said.substr(6) : said;
  const auto activation = tensor::activation_from_name(name);
  if (!activation)
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: the activation '{}' is not known", name.substr(0, 60))));
  out.activation = activation.value_or(Activation::none);
  return out;
}

// Each layer of umT5 has a table of its own; the others share that of the first layer.
DistanceBias read_distances(ConfigReader& config, std::string_view family, std::string_view side) {
  DistanceBias out;
  out.own = family == "umt5";
  out.table = "layer.0.SelfAttention.relative_attention_bias";
  if (!out.own) out.table = fmt::format("{}block.0.{}", side, out.table);
  out.buckets = out.rows = config.size({"relative_attention_num_buckets"}, 32, 4'096);
  out.distance_max = config.size({"relative_attention_max_distance"}, 128, 8'192);
  return out;
}

}  // namespace

void plan_t5_encoder(ConfigReader& config, EncoderPlan& plan) {
  const bool many = plan.family == "mt5" ||
                    plan.family == "umt5";  // Of many languages; the fallbacks are those of transformers.
  plan.width = plan.embedding_width = config.size({"d_model"}, 512, 16'384);
  plan.heads = config.size({"num_heads"}, many ? 6 : 8, 1'024);
  plan.head_width = config.size({"d_kv"}, 64, 16'384);
  plan.inner = config.size({"d_ff"}, many ? 1'024 : 2'048);
  plan.vocabulary = config.size({"vocab_size"}, many ? 250'112 : 32'128, 4'000'000);
  plan.positions = positions_max;
  plan.epsilon = config.number({"layer_norm_epsilon"}, 1e-6);
  const Inner inner = read_inner(config, many ? "gated-gelu" : "relu");
  plan.activation = inner.activation;
  plan.gated = inner.gated;
  plan.scale = 1;
  plan.norm_kind = EncoderPlan::NormKind::root_mean_square;
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.norm_bias = plan.attention_bias = plan.inner_bias = Bias::without;
  plan.position_kind = EncoderPlan::Positions::none;
  plan.distance_bias = read_distances(config, plan.family, "encoder.");
  plan.words = "shared";
  plan.renames = {{"shared", "encoder.embed_tokens"}};
  plan.query = "layer.0.SelfAttention.q";
  plan.key = "layer.0.SelfAttention.k";
  plan.value = "layer.0.SelfAttention.v";
  plan.attention_out = "layer.0.SelfAttention.o";
  plan.attention_norm = "layer.0.layer_norm";
  plan.gate = "layer.1.DenseReluDense.wi_0";
  plan.up = plan.gated ? "layer.1.DenseReluDense.wi_1" : "layer.1.DenseReluDense.wi";
  plan.out = "layer.1.DenseReluDense.wo";
  plan.out_norm = "layer.1.layer_norm";
  plan.final_norm = "encoder.final_layer_norm";
  add_layers(plan, "encoder.block.", config.size({"num_layers"}, many ? 8 : 6, 256));
}

// T5 of both versions, mT5 and umT5.
void plan_t5(ConfigReader& config, Seq2SeqPlan& whole) {
  whole.head = read_seq2seq_head(config);
  read_seq2seq_ids(config, whole);
  if (whole.head == Seq2SeqPlan::Head::sequence_classification) {
    whole.labels = read_labels(config);
    whole.prefixes = {"transformer."};
    whole.shift = Seq2SeqPlan::Shift::behind_start;
  }
  whole.encoder.family = whole.family;
  plan_t5_encoder(config, whole.encoder);
  whole.renames = whole.encoder.renames;
  note_head(whole);
  const EncoderPlan& encoder = whole.encoder;
  DecoderPlan& plan = whole.decoder;
  plan.family = whole.family;
  plan.width = plan.embedding_width = encoder.width;
  plan.heads = plan.key_heads = encoder.heads;
  plan.head_width = plan.value_width = encoder.head_width;
  plan.inner = encoder.inner;
  plan.vocabulary = encoder.vocabulary;
  plan.positions = positions_max;
  plan.epsilon = encoder.epsilon;
  plan.activation = encoder.activation;
  plan.gated = encoder.gated;
  plan.scale = 1;
  plan.words = "shared";
  plan.layer_prefix = "decoder.block.";
  plan.query = "layer.0.SelfAttention.q";
  plan.key = "layer.0.SelfAttention.k";
  plan.value = "layer.0.SelfAttention.v";
  plan.attention_out = "layer.0.SelfAttention.o";
  plan.attention_norm = "layer.0.layer_norm";
  plan.cross = CrossPlan{.query = "layer.1.EncDecAttention.q",
                         .key = "layer.1.EncDecAttention.k",
                         .value = "layer.1.EncDecAttention.v",
                         .out = "layer.1.EncDecAttention.o",
                         .norm = "layer.1.layer_norm"};
  plan.gate = "layer.2.DenseReluDense.wi_0";
  plan.up = plan.gated ? "layer.2.DenseReluDense.wi_1" : "layer.2.DenseReluDense.wi";
  plan.down = "layer.2.DenseReluDense.wo";
  plan.inner_norm = "layer.2.layer_norm";
  plan.final_norm = "decoder.final_layer_norm";
  plan.distance_bias = read_distances(config, plan.family, "decoder.");
  const size_t layers = encoder.layers.size();
  plan.layers.assign(config.size({"num_decoder_layers"}, layers, 256), {.rope = -1});
  // The first version scales what its head reads, and said so by tying it to the words.
  // umT5's always does so in transformers 5, which takes its words for tied whatever config.json says.
  const bool tied =
      (whole.family == "t5" || whole.family == "longt5" || whole.family == "switch_transformers") &&
      config.flag({"tie_word_embeddings"}, true);
  const bool scales = whole.family == "umt5" || config.flag({"scale_decoder_outputs"}, tied);
  if (scales && whole.head == Seq2SeqPlan::Head::language)
    plan.logit_scale = 1 / std::sqrt(static_cast<float>(plan.width));
}

}  // namespace holdfast::model
