#pragma once

#include <vector>

#include "model/vision/images.h"

namespace holdfast::model {

// How a table of positions, one a patch, is brought to another grid. As torch's interpolate does with
// align_corners off.
enum class Resampling : uint8_t {
  bicubic,            // Cubic with -0.75 between the nearest four, those at the edge repeated.
  bicubic_antialias,  // Cubic with -0.5, wider where the grid shrinks, cut off at the edge.
};

// [from, width] to [to, width].
std::vector<float> resample_grid(const std::vector<float>& table, size_t width, Extent from, Extent to,
                                 Resampling kind);

}  // namespace holdfast::model
