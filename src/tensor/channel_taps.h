#pragma once

#include <cstddef>

namespace holdfast::tensor {

// A line of a picture whose channels are convolved each by itself: out = bias + the sum over the taps, in
// their order, of what lies under them. What is past the picture's edges adds nothing.
struct ChannelTapsJob {
  const float* in = nullptr;  // [height, width, channels]
  size_t height = 0, width = 0, channels = 0;
  const float* taps = nullptr;  // [kernel_height * kernel_width, channels]
  const float* bias = nullptr;  // [channels]
  size_t kernel_height = 0, kernel_width = 0, stride = 1, padding = 0, dilation = 1;
  size_t line = 0;  // Of the result.
  float* out = nullptr;
  size_t out_width = 0;  // [out_width, channels]

  // Line or column of the picture; below zero is far past its end, too.
  size_t under(size_t place, size_t tap) const { return place * stride + tap * dilation - padding; }
};

}  // namespace holdfast::tensor
