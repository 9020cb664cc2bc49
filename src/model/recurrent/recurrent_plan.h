#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "model/weight_reader.h"
#include "tensor/activation.h"

namespace holdfast::model {

// Layers that carry a state from token to token where others look back at keys and values.
struct RecurrentPlan {
  enum class Kind : uint8_t {
    short_convolution,  // LFM 2: what a gate lets through of the last few tokens.
    gated_delta,        // Qwen3-Next: a matrix a head that forgets, and learns what it did not foresee.
    state_space,        // Mamba 2: numbers a head that decay as each token says.
    selective_space     // Mamba: likewise, every number at its own paces.
  };
  enum class Layout : uint8_t {
    apart,   // gated_delta: in_proj_qkv, in_proj_z, in_proj_b and in_proj_a.
    by_head  // in_proj_qkvz and in_proj_ba, each key head's part together.
  };
  enum class GateNorm : uint8_t { after_gate, before_gate, none };  // state_space: of its answers.
  enum class ChoiceNorms : uint8_t { none, plain, scaled };  // selective_space: of paces, writes, reads.
  Kind kind = Kind::short_convolution;
  Layout layout = Layout::apart;
  std::string name;  // Of the layer's part with the tensors, "linear_attn".
  size_t taps = 4;   // Tokens that the convolution before sees, itself included.
  // Keys are what is written by and queries what is read by: in state spaces B and C, shared by groups of
  // heads.
  size_t key_heads = 0, key_width = 0;
  size_t value_heads = 0, value_width = 0;
  Bias convolution_bias = Bias::without, bias = Bias::without;
  tensor::Activation activation = tensor::Activation::silu;  // After the convolution.
  float epsilon = 1e-6F;
  // state_space.
  GateNorm gate_norm = GateNorm::after_gate;
  float pace_min = 0;  // A token lets a state fade at least as fast.
  float in_scale = 1, out_scale = 1;
  std::array<float, 5> part_scales = {1, 1, 1, 1, 1};  // Of gates, values, writes, reads and paces.
  Bias out_bias = Bias::without;                       // `bias` is of what comes in.
  // selective_space: value_width numbers with key_width states each.
  size_t rank = 0;  // Of what paces are made from.
  ChoiceNorms choice_norms = ChoiceNorms::none;

  size_t keys() const { return key_heads * key_width; }
  size_t values() const { return value_heads * value_width; }
};

}  // namespace holdfast::model
