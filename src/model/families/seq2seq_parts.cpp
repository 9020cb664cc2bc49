#include "model/families/seq2seq_parts.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "model/config_reader.h"
#include "model/families/encoder_parts.h"
#include "model/families/labels.h"

namespace holdfast::model {
namespace {

constexpr size_t computed_max = size_t{1} << 26;  // Numbers of a table of positions that is not stored.

std::optional<int64_t> read_id(ConfigReader& config, std::string_view name) {
  const boost::json::value* value = config.json().if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return std::nullopt;
  return value->get_int64();
}

// What both sides share, then each its own.
void plan_encoder_as_bart(ConfigReader& config, const Seq2SeqPlan& whole, const BartKind& kind,
                          EncoderPlan& plan) {
  plan.family = whole.family;
  plan.width = plan.embedding_width = config.size({"d_model"}, 1'024, 16'384);
  plan.heads = config.size({"encoder_attention_heads"}, 16, 1'024);
  plan.head_width = plan.width / plan.heads;
  plan.inner = config.size({"encoder_ffn_dim"}, 4'096);
  plan.vocabulary = config.size({"vocab_size"}, 50'265, 4'000'000);
  plan.positions = config.size({"max_position_embeddings"}, 1'024, 1 << 24);
  plan.epsilon = 1e-5F;
  plan.activation = read_activation(config, {"activation_function"}, "gelu");
  if (plan.width % plan.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  plan.sinusoid = kind.sinusoid;
  plan.position_offset = kind.position_offset;
  plan.position_rows = plan.positions + kind.position_offset;
  if (kind.sinusoid != Sinusoid::none && plan.position_rows > computed_max / plan.width)
    config.refuse(fail(Reason::bad_request, "config.json: max_position_embeddings is too large to compute"));
  if (kind.sinusoid != Sinusoid::fairseq) plan.position_table = "encoder.embed_positions";
  if (config.flag({"scale_embedding"}, kind.scales_embedding))
    plan.embedding_scale = std::sqrt(static_cast<float>(plan.width));
  plan.words = "shared";
  if (kind.embedding_norm) plan.embedding_norm = "encoder.layernorm_embedding";
  plan.query = "self_attn.q_proj";
  plan.key = "self_attn.k_proj";
  plan.value = "self_attn.v_proj";
  plan.attention_out = "self_attn.out_proj";
  plan.attention_norm = "self_attn_layer_norm";
  plan.up = "fc1";
  plan.out = "fc2";
  plan.out_norm = "final_layer_norm";
  if (kind.norms_before) {
    plan.norm_place = EncoderPlan::NormPlace::before;
    plan.final_norm = "encoder.layer_norm";
  }
  add_layers(plan, "encoder.layers.", config.size({"encoder_layers"}, 12, 256));
}

void plan_decoder_as_bart(ConfigReader& config, const EncoderPlan& encoder, const BartKind& kind,
                          DecoderPlan& plan) {
  plan.family = encoder.family;
  plan.width = plan.embedding_width = encoder.width;
  plan.heads = plan.key_heads = config.size({"decoder_attention_heads"}, 16, 1'024);
  plan.inner = config.size({"decoder_ffn_dim"}, 4'096);
  plan.vocabulary = config.size({"decoder_vocab_size"}, encoder.vocabulary, 4'000'000);
  plan.positions = encoder.positions;
  plan.position_offset = kind.position_offset;
  plan.sinusoid = kind.sinusoid;
  plan.epsilon = encoder.epsilon;
  plan.activation = encoder.activation;
  name_decoder_as_bart(config, plan, "decoder.");
  plan.norm_after = !kind.norms_before;
  plan.embedding_scale = encoder.embedding_scale;
  plan.words = "shared";
  if (kind.sinusoid != Sinusoid::fairseq) plan.position_table = "decoder.embed_positions";
  if (kind.embedding_norm) plan.embedding_norm = "decoder.layernorm_embedding";
  plan.final_norm = kind.norms_before ? "decoder.layer_norm" : "";
  plan.layers.assign(config.size({"decoder_layers"}, 12, 256), {.rope = -1});
}

}  // namespace

Seq2SeqPlan::Head read_seq2seq_head(ConfigReader& config) {
  const boost::json::array* names = config.array("architectures");
  if (names == nullptr || names->empty() || !(*names)[0].is_string()) return Seq2SeqPlan::Head::language;
  const std::string_view name = (*names)[0].get_string();
  if (name.ends_with("ForConditionalGeneration") || name.ends_with("MTModel") ||
      name.ends_with("WithLMHeadModel"))
    return Seq2SeqPlan::Head::language;
  if (name.ends_with("ForSequenceClassification")) return Seq2SeqPlan::Head::sequence_classification;
  if (name.ends_with("Model") && name.find("For") == std::string_view::npos) return Seq2SeqPlan::Head::none;
  config.refuse(fail(Reason::model_unsupported,
                     fmt::format("models of class '{}' are not supported", name.substr(0, 80))));
  return Seq2SeqPlan::Head::none;
}

void read_seq2seq_ids(ConfigReader& config, Seq2SeqPlan& plan) {
  plan.start_id = read_id(config, "decoder_start_token_id");
  plan.pad_id = read_id(config, "pad_token_id");
  plan.end_id = read_id(config, "eos_token_id");
}

void name_decoder_as_bart(ConfigReader& config, DecoderPlan& plan, const std::string& prefix) {
  plan.head_width = plan.value_width = plan.width / plan.heads;
  if (plan.width % plan.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.layer_prefix = prefix + "layers.";
  plan.attention_out = "self_attn.out_proj";
  plan.attention_norm = "self_attn_layer_norm";
  plan.cross = CrossPlan{.query = "encoder_attn.q_proj",
                         .key = "encoder_attn.k_proj",
                         .value = "encoder_attn.v_proj",
                         .out = "encoder_attn.out_proj",
                         .norm = "encoder_attn_layer_norm"};
  plan.up = "fc1";
  plan.down = "fc2";
  plan.inner_norm = "final_layer_norm";
}

void note_head(Seq2SeqPlan& plan) {
  if (plan.head != Seq2SeqPlan::Head::sequence_classification) return;
  plan.encoder.head = Head::sequence_classification;
  plan.encoder.labels = plan.labels;
}

void plan_as_bart(ConfigReader& config, Seq2SeqPlan& plan, const BartKind& kind) {
  plan.head = read_seq2seq_head(config);
  read_seq2seq_ids(config, plan);
  if (plan.head == Seq2SeqPlan::Head::sequence_classification) plan.labels = read_labels(config);
  plan.shift = Seq2SeqPlan::Shift::behind_start;
  plan.prefixes = {"model."};
  plan.renames = {{"shared", "encoder.embed_tokens"}};
  if (plan.head == Seq2SeqPlan::Head::language) plan.logits_bias = "final_logits_bias";
  plan_encoder_as_bart(config, plan, kind, plan.encoder);
  plan_decoder_as_bart(config, plan.encoder, kind, plan.decoder);
  note_head(plan);
}

}  // namespace holdfast::model
