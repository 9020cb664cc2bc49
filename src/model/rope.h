#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/config_reader.h"
#include "tensor/rope.h"

namespace holdfast::model {

// Rotary positions (Su et al. 2021) and what later models did to their frequencies, as
// transformers/modeling_rope_utils.py computes them.
struct RopeSpec {
  enum class Kind : uint8_t { plain, linear, dynamic, yarn, longrope, llama3 };

  Kind kind = Kind::plain;
  tensor::RopePairs pairs = tensor::RopePairs::halves;
  size_t dims = 0;  // Of a head that turn, the first ones; even.
  double theta = 10'000;
  double factor = 1;
  size_t positions = 0;           // max_position_embeddings
  size_t original_positions = 0;  // Before the context was extended.
  double low_frequency = 1, high_frequency = 4;
  double fast_turns = 32, slow_turns = 1;
  bool whole_bounds = true;     // "truncate": yarn's bounds are rounded to whole dimensions.
  double attention_factor = 1;  // cos and sin are multiplied by it.
  std::vector<float> short_factors, long_factors;
};

// What a family says where config.json does not.
struct RopeDefaults {
  double theta = 10'000;
  double part = 1;  // partial_rotary_factor
};

// Of layers of the given type ("full_attention", ...), in either spelling: rope_parameters, perhaps nested by
// layer type, or rope_theta and rope_scaling.
RopeSpec read_rope(ConfigReader& config, size_t head_width, const RopeDefaults& defaults,
                   std::string_view layer_type = {});

// Whether rope_parameters has a part of its own for layers of the given type.
bool has_rope_of(ConfigReader& config, std::string_view layer_type);

// Frequencies for a sequence of that many positions, [dims / 2].
std::vector<float> rope_frequencies(const RopeSpec& spec, size_t length);

// cos and sin of a batch's rows: row r of the table stands for positions[r] in a sequence of lengths[r]
// positions, on which some kinds depend.
tensor::RopeTable rope_rows(const RopeSpec& spec, std::span<const int64_t> positions,
                            std::span<const size_t> lengths);

}  // namespace holdfast::model
