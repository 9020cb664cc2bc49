#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "codec/safetensors.h"
#include "model/decoder_model.h"

// Small models that carry states, for tests of them.
namespace holdfast::model {

struct Case {
  const char *type, *keys, *final_norm;
  const char* layers;            // "NAME:8x3 ...", names after "model.layers.".
  std::array<float, 11> logits;  // transformers 5.23.0, of the last token of `text`.
};

inline const std::vector<TokenId> text = {3, 7, 1, 9, 4, 4, 10, 2};

inline constexpr Case cases[] = {
    {"lfm2",
     R"("conv_bias":true,"block_auto_adjust_ff_dim":false,"layer_types":["conv","full_attention"],
            "rope_parameters":{"rope_type":"default","rope_theta":100.0})",
     "embedding_norm",
     R"(0.operator_norm.weight:8 0.ffn_norm.weight:8 1.operator_norm.weight:8 1.ffn_norm.weight:8
            0.feed_forward.w1.weight:6x8 0.feed_forward.w3.weight:6x8 0.feed_forward.w2.weight:8x6
            1.feed_forward.w1.weight:6x8 1.feed_forward.w3.weight:6x8 1.feed_forward.w2.weight:8x6
            1.self_attn.q_proj.weight:8x8 1.self_attn.k_proj.weight:4x8 1.self_attn.v_proj.weight:4x8
            1.self_attn.out_proj.weight:8x8 1.self_attn.q_layernorm.weight:4
            1.self_attn.k_layernorm.weight:4 0.conv.conv.bias:8 0.conv.conv.weight:8x1x3
            0.conv.in_proj.bias:24 0.conv.in_proj.weight:24x8 0.conv.out_proj.bias:8
            0.conv.out_proj.weight:8x8)",
     {-0.032891F, -0.035589F, -0.043028F, 0.140443F, -0.173271F, 0.403927F, -0.392475F, -0.006909F,
      -0.245332F, 0.258845F, 0.092006F}},
    {"qwen3_next",
     R"("moe_intermediate_size":3,"shared_expert_intermediate_size":5,"num_experts":3,
            "num_experts_per_tok":2,"mlp_only_layers":[1],"head_dim":4,"linear_conv_kernel_dim":3,
            "linear_key_head_dim":3,"linear_value_head_dim":4,"linear_num_key_heads":1,
            "linear_num_value_heads":2,"layer_types":["linear_attention","full_attention"],
            "rope_parameters":{"rope_type":"default","rope_theta":100.0,"partial_rotary_factor":0.5})",
     "norm",
     R"(0.input_layernorm.weight:8 0.post_attention_layernorm.weight:8 1.input_layernorm.weight:8
            1.post_attention_layernorm.weight:8 0.linear_attn.A_log:2 0.linear_attn.conv1d.weight:14x1x3
            0.linear_attn.dt_bias:2 0.linear_attn.norm.weight:4 0.linear_attn.out_proj.weight:8x8
            0.mlp.gate.weight:3x8 0.mlp.shared_expert_gate.weight:1x8 0.mlp.experts.0.gate_proj.weight:3x8
            0.mlp.experts.0.up_proj.weight:3x8 0.mlp.experts.0.down_proj.weight:8x3
            0.mlp.experts.1.gate_proj.weight:3x8 0.mlp.experts.1.up_proj.weight:3x8
            0.mlp.experts.1.down_proj.weight:8x3 0.mlp.experts.2.gate_proj.weight:3x8
            0.mlp.experts.2.up_proj.weight:3x8 0.mlp.experts.2.down_proj.weight:8x3
            0.mlp.shared_expert.gate_proj.weight:5x8 0.mlp.shared_expert.up_proj.weight:5x8
            0.mlp.shared_expert.down_proj.weight:8x5 1.mlp.gate_proj.weight:6x8 1.mlp.up_proj.weight:6x8
            1.mlp.down_proj.weight:8x6 1.self_attn.q_proj.weight:16x8 1.self_attn.k_proj.weight:4x8
            1.self_attn.v_proj.weight:4x8 1.self_attn.o_proj.weight:8x8 1.self_attn.q_norm.weight:4
            1.self_attn.k_norm.weight:4 0.linear_attn.in_proj_ba.weight:4x8
            0.linear_attn.in_proj_qkvz.weight:22x8)",
     {1.739048F, 0.64106F, -2.141483F, 0.376632F, 1.21918F, 0.388128F, -0.298052F, 0.443753F, 0.333257F,
      -0.975653F, -0.699109F}},
    {"qwen3_5_text",
     R"("attention_bias":false,"head_dim":4,"linear_conv_kernel_dim":3,"linear_key_head_dim":3,
            "linear_value_head_dim":4,"linear_num_key_heads":1,"linear_num_value_heads":2,
            "layer_types":["linear_attention","full_attention"],"rope_parameters":{"rope_type":"default",
            "rope_theta":100.0,"partial_rotary_factor":0.5})",
     "norm",
     R"(0.input_layernorm.weight:8 0.post_attention_layernorm.weight:8 1.input_layernorm.weight:8
            1.post_attention_layernorm.weight:8 0.linear_attn.A_log:2 0.linear_attn.conv1d.weight:14x1x3
            0.linear_attn.dt_bias:2 0.linear_attn.norm.weight:4 0.linear_attn.out_proj.weight:8x8
            0.mlp.gate_proj.weight:6x8 0.mlp.up_proj.weight:6x8 0.mlp.down_proj.weight:8x6
            1.mlp.gate_proj.weight:6x8 1.mlp.up_proj.weight:6x8 1.mlp.down_proj.weight:8x6
            1.self_attn.q_proj.weight:16x8 1.self_attn.k_proj.weight:4x8 1.self_attn.v_proj.weight:4x8
            1.self_attn.o_proj.weight:8x8 1.self_attn.q_norm.weight:4 1.self_attn.k_norm.weight:4
            0.linear_attn.in_proj_a.weight:2x8 0.linear_attn.in_proj_b.weight:2x8
            0.linear_attn.in_proj_qkv.weight:14x8 0.linear_attn.in_proj_z.weight:8x8)",
     {1.286293F, -0.348403F, -1.295759F, -0.1335F, 1.865475F, -0.494805F, 0.247727F, 0.006357F, 2.069822F,
      0.085101F, 0.036142F}},
    {"granitemoehybrid",
     R"("num_local_experts":0,"shared_intermediate_size":6,"layer_types":["mamba","attention"],
            "mamba_n_heads":4,"mamba_d_head":"auto","mamba_n_groups":2,"mamba_d_state":3,"mamba_d_conv":3,
            "mamba_expand":2)",
     "norm",
     R"(0.input_layernorm.weight:8 0.post_attention_layernorm.weight:8 1.input_layernorm.weight:8
            1.post_attention_layernorm.weight:8 0.mamba.A_log:4 0.mamba.D:4 0.mamba.conv1d.bias:28
            0.mamba.conv1d.weight:28x1x3 0.mamba.dt_bias:4 0.mamba.in_proj.weight:48x8
            0.mamba.norm.weight:16 0.mamba.out_proj.weight:8x16 1.self_attn.q_proj.weight:8x8
            1.self_attn.k_proj.weight:4x8 1.self_attn.v_proj.weight:4x8 1.self_attn.o_proj.weight:8x8
            0.shared_mlp.input_linear.weight:12x8 0.shared_mlp.output_linear.weight:8x6
            1.shared_mlp.input_linear.weight:12x8 1.shared_mlp.output_linear.weight:8x6)",
     {0.376546F, 0.034928F, -0.369581F, -0.234145F, 0.490684F, -0.331125F, 0.074275F, 0.356236F, 0.105081F,
      -0.24448F, -0.436611F}},
    {"bamba",
     R"("attn_layer_indices":[1],"time_step_limit":[0.0,{"__float__":"Infinity"}],"mamba_n_heads":4,
            "mamba_d_head":"auto","mamba_n_groups":2,"mamba_d_state":3,"mamba_d_conv":3,"mamba_expand":2,
            "rope_parameters":{"rope_type":"default","rope_theta":100.0})",
     "final_layernorm",
     R"(0.input_layernorm.weight:8 0.pre_ff_layernorm.weight:8 1.input_layernorm.weight:8
            1.pre_ff_layernorm.weight:8 0.mamba.A_log:4 0.mamba.D:4 0.mamba.conv1d.bias:28
            0.mamba.conv1d.weight:28x1x3 0.mamba.dt_bias:4 0.mamba.in_proj.weight:48x8
            0.mamba.norm.weight:16 0.mamba.out_proj.weight:8x16 1.self_attn.q_proj.weight:8x8
            1.self_attn.k_proj.weight:4x8 1.self_attn.v_proj.weight:4x8 1.self_attn.o_proj.weight:8x8
            0.feed_forward.gate_proj.weight:6x8 0.feed_forward.up_proj.weight:6x8
            0.feed_forward.down_proj.weight:8x6 1.feed_forward.gate_proj.weight:6x8
            1.feed_forward.up_proj.weight:6x8 1.feed_forward.down_proj.weight:8x6)",
     {-0.393633F, -0.065236F, 0.140386F, 0.130038F, -0.14697F, -0.079818F, 0.067937F, -0.164365F, -0.291922F,
      0.068226F, 0.118087F}},
    {"falcon_h1",
     R"("mamba_d_ssm":16,"mamba_rms_norm":true,"mamba_norm_before_gate":false,"projectors_bias":true,
            "key_multiplier":0.5,"attention_in_multiplier":2.0,"attention_out_multiplier":0.75,
            "ssm_in_multiplier":1.5,"ssm_out_multiplier":0.5,"mlp_multipliers":[0.5,2.0],
            "ssm_multipliers":[0.5,2.0,1.5,0.75,1.25],"embedding_multiplier":3.0,"lm_head_multiplier":0.5,
            "mamba_n_heads":4,"mamba_d_head":"auto","mamba_n_groups":2,"mamba_d_state":3,"mamba_d_conv":3,
            "mamba_expand":2,"rope_parameters":{"rope_type":"default","rope_theta":100.0})",
     "final_layernorm",
     R"(0.input_layernorm.weight:8 0.pre_ff_layernorm.weight:8 1.input_layernorm.weight:8
            1.pre_ff_layernorm.weight:8 0.mamba.A_log:4 0.mamba.D:4 0.mamba.conv1d.bias:28
            0.mamba.conv1d.weight:28x1x3 0.mamba.dt_bias:4 0.mamba.in_proj.weight:48x8
            0.mamba.norm.weight:16 0.mamba.out_proj.weight:8x16 1.mamba.A_log:4 1.mamba.D:4
            1.mamba.conv1d.bias:28 1.mamba.conv1d.weight:28x1x3 1.mamba.dt_bias:4
            1.mamba.in_proj.weight:48x8 1.mamba.norm.weight:16 1.mamba.out_proj.weight:8x16
            0.self_attn.q_proj.weight:8x8 0.self_attn.k_proj.weight:4x8 0.self_attn.v_proj.weight:4x8
            0.self_attn.o_proj.weight:8x8 1.self_attn.q_proj.weight:8x8 1.self_attn.k_proj.weight:4x8
            1.self_attn.v_proj.weight:4x8 1.self_attn.o_proj.weight:8x8 0.feed_forward.gate_proj.weight:6x8
            0.feed_forward.up_proj.weight:6x8 0.feed_forward.down_proj.weight:8x6
            1.feed_forward.gate_proj.weight:6x8 1.feed_forward.up_proj.weight:6x8
            1.feed_forward.down_proj.weight:8x6 0.mamba.out_proj.bias:8 1.mamba.out_proj.bias:8)",
     {-0.199992F, 0.032752F, -0.008545F, 0.116433F, -0.101499F, -0.010064F, 0.028898F, -0.081178F, -0.219411F,
      -0.046913F, 0.026999F}},
    {"jamba",
     R"("num_experts":3,"num_experts_per_tok":2,"expert_layer_period":2,"expert_layer_offset":1,
            "attn_layer_period":2,"attn_layer_offset":1,"mamba_d_state":3,"mamba_d_conv":3,"mamba_expand":2,
            "mamba_dt_rank":2)",
     "final_layernorm",
     R"(0.input_layernorm.weight:8 0.pre_ff_layernorm.weight:8 1.input_layernorm.weight:8
            1.pre_ff_layernorm.weight:8 1.self_attn.q_proj.weight:8x8 1.self_attn.k_proj.weight:4x8
            1.self_attn.v_proj.weight:4x8 1.self_attn.o_proj.weight:8x8 0.feed_forward.gate_proj.weight:6x8
            0.feed_forward.up_proj.weight:6x8 0.feed_forward.down_proj.weight:8x6
            1.feed_forward.experts.0.gate_proj.weight:6x8 1.feed_forward.experts.0.up_proj.weight:6x8
            1.feed_forward.experts.0.down_proj.weight:8x6 1.feed_forward.experts.1.gate_proj.weight:6x8
            1.feed_forward.experts.1.up_proj.weight:6x8 1.feed_forward.experts.1.down_proj.weight:8x6
            1.feed_forward.experts.2.gate_proj.weight:6x8 1.feed_forward.experts.2.up_proj.weight:6x8
            1.feed_forward.experts.2.down_proj.weight:8x6 1.feed_forward.router.weight:3x8
            0.mamba.A_log:16x3 0.mamba.D:16 0.mamba.b_layernorm.weight:3 0.mamba.c_layernorm.weight:3
            0.mamba.conv1d.bias:16 0.mamba.conv1d.weight:16x1x3 0.mamba.dt_layernorm.weight:2
            0.mamba.dt_proj.bias:16 0.mamba.dt_proj.weight:16x2 0.mamba.in_proj.weight:32x8
            0.mamba.out_proj.weight:8x16 0.mamba.x_proj.weight:8x16)",
     {-0.40372F, -0.056987F, 0.19327F, 0.157077F, -0.153994F, -0.128243F, 0.082145F, -0.178832F, -0.206182F,
      0.057588F, 0.051962F}},
};

struct Shape {
  std::string name;
  std::vector<uint64_t> sides;
};

inline std::vector<Shape> shapes_of(const Case& one) {
  std::vector<Shape> out = {{"lm_head.weight", {11, 8}},
                            {"model.embed_tokens.weight", {11, 8}},
                            {"model." + std::string(one.final_norm) + ".weight", {8}}};
  const std::string_view all = one.layers;
  for (size_t at = 0; at < all.size();) {
    const size_t colon = all.find(':', at);
    out.push_back({"model.layers." + std::string(all.substr(at, colon - at)), {}});
    uint64_t side = 0;
    for (at = colon + 1; at < all.size() && all[at] > ' '; ++at) {
      if (all[at] != 'x') {
        side = side * 10 + static_cast<uint64_t>(all[at] - '0');
        continue;
      }
      out.back().sides.push_back(side);
      side = 0;
    }
    out.back().sides.push_back(side);
    while (at < all.size() && all[at] <= ' ') ++at;
  }
  return out;
}

// Numbers that a name and a place alone decide.
inline std::vector<float> numbers(const std::string& name, size_t count) {
  double sum = 0;
  for (const char c : name) sum += c;
  std::vector<float> out;
  for (size_t i = 0; i < count; ++i) {
    const auto at = static_cast<double>(i);
    out.push_back(static_cast<float>(std::fmod(0.618 * (at * at) + 0.37 * at + 0.13 * sum, 1.0) - 0.5));
  }
  return out;
}

inline std::unique_ptr<io::Disk> folder_of(const Case& one) {
  auto disk = io::make_memory_disk();
  const std::string config =
      R"({"model_type":")" + std::string(one.type) +
      R"(","vocab_size":11,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,"num_key_value_heads":1,
          "intermediate_size":6,"max_position_embeddings":64,"tie_word_embeddings":false,"pad_token_id":0,)" +
      one.keys + "}";
  EXPECT_TRUE(io::publish_text(*disk, "config.json", config).ok());
  const std::vector<Shape> all = shapes_of(one);
  std::vector<std::vector<float>> values;
  values.reserve(all.size());
  std::vector<codec::SafetensorsTensor> tensors;
  for (const Shape& shape : all) {
    size_t count = 1;
    for (const uint64_t side : shape.sides) count *= side;
    values.push_back(numbers(shape.name, count));
    tensors.push_back({shape.name, tensor::Dtype::f32, shape.sides, std::as_bytes(std::span(values.back()))});
  }
  const Bytes file = codec::write_safetensors(tensors).value();
  EXPECT_TRUE(io::publish_text(*disk, "model.safetensors", as_text(file)).ok());
  return disk;
}

inline DecoderModel opened(const Case& one, tensor::Compute compute = {}) {
  const auto disk = folder_of(one);
  auto model = DecoderModel::open(*disk, "", compute);
  EXPECT_TRUE(model.ok()) << one.type << ": " << model.error().message;
  return std::move(model).value();
}

inline TokenBatch batch_of(const std::vector<std::vector<TokenId>>& texts,
                           const std::vector<size_t>& from = {}) {
  TokenBatch batch;
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t first = from.empty() ? 0 : from[i];
    for (size_t at = 0; at < texts[i].size(); ++at)
      batch.add(texts[i][at], 0, static_cast<int64_t>(first + at));
    batch.end_sequence();
  }
  return batch;
}

}  // namespace holdfast::model
