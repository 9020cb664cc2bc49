#include "model/families/speech_parts.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/labels.h"

namespace holdfast::model {
namespace {

constexpr size_t convolutions_max = 32, list_most = 16'384;

std::vector<size_t> read_sizes(ConfigReader& config, std::string_view name,
                               std::initializer_list<size_t> fallback) {
  const boost::json::array* list = config.array(name);
  if (list == nullptr) return fallback;
  std::vector<size_t> out;
  for (const boost::json::value& one : *list) {
    const bool fits = one.is_int64() && one.get_int64() > 0 &&
                      static_cast<uint64_t>(one.get_int64()) <= list_most && out.size() < convolutions_max;
    if (!fits) {
      config.refuse(fail(Reason::bad_request,
                         fmt::format("config.json: {} must hold at most {} whole numbers from 1 to {}", name,
                                     convolutions_max, list_most)));
      return fallback;
    }
    out.push_back(static_cast<size_t>(one.get_int64()));
  }
  return out;
}

void read_convolutions(ConfigReader& config, WaveFeaturesPlan& plan) {
  const auto widths = read_sizes(config, "conv_dim", {512, 512, 512, 512, 512, 512, 512});
  const auto strides = read_sizes(config, "conv_stride", {5, 2, 2, 2, 2, 2, 2});
  const auto kernels = read_sizes(config, "conv_kernel", {10, 3, 3, 3, 3, 2, 2});
  if (widths.empty() || widths.size() != strides.size() || widths.size() != kernels.size()) {
    config.refuse(
        fail(Reason::bad_request, "config.json: conv_dim, conv_stride and conv_kernel must be equally long"));
    return;
  }
  for (size_t i = 0; i < widths.size(); ++i) plan.layers.push_back({widths[i], kernels[i], strides[i]});
  const std::string norm = config.text({"feat_extract_norm"}, "group");
  if (norm != "group" && norm != "layer")
    config.refuse(
        fail(Reason::model_unsupported,
             fmt::format("config.json: feat_extract_norm '{}' is not supported", norm.substr(0, 60))));
  plan.norm = norm == "layer" ? WaveFeaturesPlan::Norm::layer : WaveFeaturesPlan::Norm::group;
  plan.bias = config.flag({"conv_bias"}, false) ? Bias::with : Bias::without;
  plan.activation = read_activation(config, {"feat_extract_activation"}, "gelu");
}

void read_encoder(ConfigReader& config, EncoderPlan& plan) {
  plan.width = plan.embedding_width = config.size({"hidden_size"}, 768, 16'384);
  plan.heads = config.size({"num_attention_heads"}, 12, 1'024);
  plan.head_width = plan.width / plan.heads;
  plan.inner = config.size({"intermediate_size"}, 3'072);
  plan.epsilon = config.number({"layer_norm_eps"}, 1e-5);
  plan.activation = read_activation(config, {"hidden_act"}, "gelu");
  if (plan.width % plan.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  plan.query = "attention.q_proj";
  plan.key = "attention.k_proj";
  plan.value = "attention.v_proj";
  plan.attention_out = "attention.out_proj";
  plan.attention_norm = "layer_norm";
  plan.up = "feed_forward.intermediate_dense";
  plan.out = "feed_forward.output_dense";
  plan.out_norm = "final_layer_norm";
  if (config.flag({"do_stable_layer_norm"}, false)) {
    plan.norm_place = EncoderPlan::NormPlace::before;
    plan.final_norm = "encoder.layer_norm";
    if (config.has("adapter_attn_dim"))
      config.refuse(fail(Reason::model_unsupported,
                         "config.json: adapter_attn_dim is not supported: adapters of languages inside the "
                         "layers"));
  } else {
    plan.embedding_norm = "encoder.layer_norm";
  }
  add_layers(plan, "encoder.layers.", config.size({"num_hidden_layers"}, 12, 256));
}

void read_voice(ConfigReader& config, SpeechPlan& plan) {
  const auto widths = read_sizes(config, "tdnn_dim", {512, 512, 512, 512, 1500});
  const auto kernels = read_sizes(config, "tdnn_kernel", {5, 3, 3, 1, 1});
  const auto dilations = read_sizes(config, "tdnn_dilation", {1, 2, 3, 1, 1});
  if (widths.empty() || kernels.size() < widths.size() || dilations.size() < widths.size()) {
    config.refuse(fail(Reason::bad_request,
                       "config.json: tdnn_dim, tdnn_kernel and tdnn_dilation must be equally long"));
    return;
  }
  for (size_t i = 0; i < widths.size(); ++i)
    plan.voice_layers.push_back({widths[i], kernels[i], dilations[i]});
  plan.voice_width = config.size({"xvector_output_dim"}, 512);
}

void read_head(ConfigReader& config, SpeechPlan& plan) {
  const std::string_view name = class_name(config);
  const size_t at = name.rfind("For");
  const std::string_view what = at == std::string_view::npos ? std::string_view() : name.substr(at + 3);
  plan.weighs_layers = config.flag({"use_weighted_layer_sum"}, false) && what != "CTC" && !what.empty();
  if (what.empty() && (name.empty() || name.ends_with("Model"))) return;
  if (what == "CTC") {
    plan.head = SpeechPlan::Head::letters;
    plan.vocabulary = config.size({"vocab_size"}, 32, 4'000'000);
    plan.purpose.task = SignalPurpose::Task::speech_recognition;
    return;
  }
  if (what == "XVector") {
    plan.head = SpeechPlan::Head::voice;
    read_voice(config, plan);
  } else if (what == "SequenceClassification") {
    plan.head = SpeechPlan::Head::sequence;
    plan.projected = config.size({"classifier_proj_size"}, 256);
    plan.purpose = {SignalPurpose::Task::audio_classification, read_labels(config)};
  } else if (what == "AudioFrameClassification") {
    plan.head = SpeechPlan::Head::frames;
    plan.purpose.labels = read_labels(config);
  } else {
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("models of class '{}' are not supported", name.substr(0, 80))));
  }
  if (plan.adapter)
    config.refuse(
        fail(Reason::model_unsupported,
             "config.json: add_adapter is not supported with this head, nor is it in transformers"));
}

}  // namespace

std::string_view class_name(ConfigReader& config) {
  const boost::json::array* names = config.array("architectures");
  if (names == nullptr || names->empty() || !(*names)[0].is_string()) return {};
  return (*names)[0].get_string();
}

void plan_as_wav2vec2(ConfigReader& config, SpeechPlan& plan, std::string_view prefix) {
  plan.prefixes = {std::string(prefix)};
  read_convolutions(config, plan.features);
  read_encoder(config, plan.encoder);
  plan.positions.kernel = config.size({"num_conv_pos_embeddings"}, 128, 1'024);
  plan.positions.groups = config.size({"num_conv_pos_embedding_groups"}, 16, 1'024);
  plan.positions.activation = plan.features.activation;
  if (config.flag({"add_adapter"}, false))
    plan.adapter = SpeechPlan::Adapter{config.size({"output_hidden_size"}, plan.encoder.width, 16'384),
                                       config.size({"adapter_kernel_size"}, 3, 64),
                                       config.size({"adapter_stride"}, 2, 64),
                                       config.size({"num_adapter_layers"}, 3, 64)};
  read_head(config, plan);
}

}  // namespace holdfast::model
