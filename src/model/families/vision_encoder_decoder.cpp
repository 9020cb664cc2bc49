// Any encoder of images beside any decoder of words, each with a configuration of its own inside the whole
// one.
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"
#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"
#include "model/vision/image_encoder.h"

namespace holdfast::model {
namespace {

constexpr size_t computed_max = size_t{1} << 26;  // Numbers of a table of positions that is not stored.

// BART's decoder and its relatives' without their encoders.
void plan_bart_beside(ConfigReader& config, Seq2SeqPlan& plan, std::string_view type) {
  const bool is_trocr = type == "trocr", norms_before = type == "mbart";
  plan.prefixes = {"decoder.model.decoder.", "decoder.", "encoder."};
  plan.language_head = is_trocr ? "output_projection" : "lm_head";
  DecoderPlan& decoder = plan.decoder;
  decoder.family = type;
  decoder.width = decoder.embedding_width = config.size({"d_model", "hidden_size"}, 1'024, 16'384);
  decoder.heads = decoder.key_heads =
      config.size({"decoder_attention_heads", "num_attention_heads"}, 16, 1'024);
  decoder.inner = config.size({"decoder_ffn_dim"}, 4'096);
  decoder.vocabulary = config.size({"vocab_size"}, 50'265, 4'000'000);
  decoder.positions = config.size({"max_position_embeddings"}, is_trocr ? 512 : 1'024, 1 << 24);
  decoder.activation = read_activation(config, {"activation_function"}, "gelu");
  decoder.epsilon = 1e-5F;
  name_decoder_as_bart(config, decoder, "");
  decoder.norm_after = !norms_before;
  if (norms_before)
    decoder.final_norm = "layer_norm";
  else
    decoder.final_norm.clear();
  decoder.words = "embed_tokens";
  if (!is_trocr || config.flag({"layernorm_embedding"}, true)) decoder.embedding_norm = "layernorm_embedding";
  if (config.flag({"scale_embedding"}, false))
    decoder.embedding_scale = std::sqrt(static_cast<float>(decoder.width));
  decoder.position_offset = 2;
  if (!is_trocr || config.flag({"use_learned_position_embeddings"}, true)) {
    decoder.position_table = "embed_positions";
  } else {
    decoder.sinusoid = Sinusoid::fairseq;
    decoder.pad_id = 1;
    if (config.size_or_zero({"pad_token_id"}, 1) != 1)
      config.refuse(
          fail(Reason::model_unsupported,
               "config.json: computed positions with a pad_token_id other than 1 are not supported"));
    if (decoder.positions + decoder.position_offset > computed_max / decoder.width)
      config.refuse(
          fail(Reason::bad_request, "config.json: max_position_embeddings is too large to compute"));
  }
  decoder.layers.assign(config.size({"decoder_layers", "num_hidden_layers"}, 12, 256), {.rope = -1});
}

void plan_gpt2_beside(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_gpt2(config, plan.decoder);
  plan.prefixes = {"decoder.transformer.", "decoder.", "encoder."};
  plan.decoder.cross = CrossPlan{.query = "crossattention.q_attn",
                                 .key = {},
                                 .value = {},
                                 .out = "crossattention.c_proj",
                                 .norm = "ln_cross_attn",
                                 .key_value = "crossattention.c_attn"};
  if (!config.flag({"scale_attn_weights"}, true) || config.flag({"scale_attn_by_inverse_layer_idx"}, false))
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: scale_attn_weights and scale_attn_by_inverse_layer_idx other than usual "
                       "are not supported beside another model"));
  if (!config.flag({"add_cross_attention"}, false))
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: a decoder without add_cross_attention does not read the image"));
}

std::string_view type_of(const boost::json::object* config) {
  const boost::json::value* type = config == nullptr ? nullptr : config->if_contains("model_type");
  return type == nullptr || !type->is_string() ? std::string_view() : std::string_view(type->get_string());
}

void refuse_type(ConfigReader& config, std::string_view side, std::string_view type) {
  config.refuse(fail(Reason::model_unsupported,
                     fmt::format("config.json: a {} of type '{}' is not supported beside another model", side,
                                 type.substr(0, 60))));
}

}  // namespace

void plan_vision_encoder_decoder(ConfigReader& config, Seq2SeqPlan& plan) {
  plan.head = Seq2SeqPlan::Head::language;
  const boost::json::object* reads = config.object("encoder");
  const boost::json::object* writes = config.object("decoder");
  const std::string_view reader_type = type_of(reads), writer_type = type_of(writes);
  if (reader_type != "vit" && reader_type != "deit") return refuse_type(config, "encoder", reader_type);
  const bool as_bart = writer_type == "trocr" || writer_type == "bart" || writer_type == "mbart";
  if (!as_bart && writer_type != "gpt2") return refuse_type(config, "decoder", writer_type);
  ConfigReader encoder(*reads), decoder(*writes);
  const ImageTowerPlan tower = plan_vit(encoder);
  if (as_bart)
    plan_bart_beside(decoder, plan, writer_type);
  else
    plan_gpt2_beside(decoder, plan);
  read_seq2seq_ids(config, plan);
  if (!plan.start_id) {
    Seq2SeqPlan inner;
    read_seq2seq_ids(decoder, inner);
    plan.start_id = inner.start_id;
  }
  // The decoder's attention takes the encoder's width, or a layer between brings it to the decoder's own.
  const size_t width = tower.encoder.width;
  const size_t memory = decoder.size_or_zero({"cross_attention_hidden_size"}, 0, 16'384);
  if (memory > 0 && memory != width)
    config.refuse(fail(Reason::bad_request,
                       "config.json: cross_attention_hidden_size is not the encoder's hidden_size"));
  const bool projects = memory == 0 && width != plan.decoder.width;
  if (plan.decoder.cross && memory > 0 && writer_type == "trocr")
    plan.decoder.cross->memory_width = memory;
  else if (memory > 0 && memory != plan.decoder.width)
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: cross_attention_hidden_size is not supported with this decoder"));
  for (const ConfigReader* part : {&encoder, &decoder})
    if (const Status status = part->status(); !status.ok()) config.refuse(status.error());
  const size_t to = projects ? plan.decoder.width : 0;
  plan.renames = tower.encoder.renames;
  plan.signals = [tower, to](const WeightReader& reader) { return ImageEncoder::load(tower, reader, to); };
}

}  // namespace holdfast::model
