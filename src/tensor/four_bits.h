#pragma once

#include <cstdint>
#include <span>

namespace holdfast::tensor {

// x is about scale * code, codes from -8 to 7; the scale is a number of binary16 and may be negative. Of the
// scales that put the greatest magnitude on 7 to 9 steps of either sign, each refined by least squares for
// the codes it gives, the one with the least squared error, larger numbers counting more (by sqrt(mean of x *
// x + x * x)). Never worse by that measure than rounding with the greatest magnitude on -8, as ggml's Q4_0
// does. Returns the scale; codes: as many as x.
float fit_four_bits(std::span<const float> x, std::span<int8_t> codes);

}  // namespace holdfast::tensor
