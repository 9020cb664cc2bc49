#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/encoder_plan.h"
#include "tensor/rope.h"

// What a transformer over an image's patches knows of where they stand.
namespace holdfast::model {

// What is added to the scores of a layer, [heads, rows, rows]: between the class and patches, and between
// patches by their distance.
Result<std::vector<float>> load_grid_bias(const GridBias& plan, size_t heads, const WeightReader& reader,
                                          const std::string& layer);

// DINOv3's angles: the first half of them turns with how far down a token stands, the other with how far
// across. `places`: two numbers a token; those at 0, 0 do not turn.
tensor::RopeTable grid_rope_rows(float theta, size_t head_width, std::span<const float> places);

}  // namespace holdfast::model
