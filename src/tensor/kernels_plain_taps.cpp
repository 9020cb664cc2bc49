// The plain twin of simd/channel_taps.h.
#include <cmath>

#include "tensor/kernels.h"

namespace holdfast::tensor {

void plain_channel_taps(const ChannelTapsJob& job) {
  for (size_t place = 0; place < job.out_width; ++place)
    for (size_t channel = 0; channel < job.channels; ++channel) {
      float sum = job.bias[channel];
      for (size_t tap = 0; tap < job.kernel_height * job.kernel_width; ++tap) {
        const size_t y = job.under(job.line, tap / job.kernel_width),
                     x = job.under(place, tap % job.kernel_width);
        if (y < job.height && x < job.width)
          sum = std::fma(job.in[(y * job.width + x) * job.channels + channel],
                         job.taps[tap * job.channels + channel], sum);
      }
      job.out[place * job.channels + channel] = sum;
    }
}

}  // namespace holdfast::tensor
