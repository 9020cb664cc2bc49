#pragma once

// Channels of a picture convolved each by itself: sixteen channels of some places side by side stay in
// registers while the taps go over them. In an unnamed namespace, as row_kernels.h is.
#include <algorithm>

#include "tensor/channel_taps.h"

namespace holdfast::tensor {
namespace {

// V: sixteen floats; places: whose sums fit the registers.
template <class V, size_t places>
struct ChannelTaps {
  static void line(const ChannelTapsJob& job) {
    size_t channel = 0;
    for (; channel + 16 <= job.channels; channel += 16)
      across(job, channel, [](const float* p) -> V { return V::load(p); }, [](V v, float* p) { v.store(p); });
    const size_t rest = job.channels - channel;
    if (rest > 0)
      across(
          job, channel, [rest](const float* p) -> V { return V::load_first(p, rest, 0); },
          [rest](V v, float* p) { v.store_first(p, rest); });
  }

 private:
  template <class Load, class Store>
  static void across(const ChannelTapsJob& job, size_t channel, Load load, Store store) {
    size_t place = 0;
    while (place < job.out_width) {
      // All taps of these places lie within the picture's width.
      const size_t last = place + places - 1, first_column = job.under(place, 0);
      const bool inside = last < job.out_width && first_column < job.width &&
                          job.under(last, job.kernel_width - 1) < job.width;
      if (inside) {
        several(job, channel, place, load, store);
        place += places;
      } else {
        one(job, channel, place, load, store);
        ++place;
      }
    }
  }

  template <class Load, class Store>
  static void several(const ChannelTapsJob& job, size_t channel, size_t place, Load load, Store store) {
    V sums[places];
    for (V& sum : sums) sum = load(job.bias + channel);
    const size_t apart = job.stride * job.channels;
    for (size_t tap_line = 0; tap_line < job.kernel_height; ++tap_line) {
      const size_t y = job.under(job.line, tap_line);
      if (y >= job.height) continue;
      const float* in = job.in + (y * job.width + job.under(place, 0)) * job.channels + channel;
      const float* taps = job.taps + tap_line * job.kernel_width * job.channels + channel;
      for (size_t tap = 0; tap < job.kernel_width; ++tap) {
        const V weight = load(taps);
#pragma GCC unroll 16
        for (size_t i = 0; i < places; ++i) sums[i] = V::fma(load(in + i * apart), weight, sums[i]);
        in += job.dilation * job.channels;
        taps += job.channels;
      }
    }
    for (size_t i = 0; i < places; ++i) store(sums[i], job.out + (place + i) * job.channels + channel);
  }

  template <class Load, class Store>
  static void one(const ChannelTapsJob& job, size_t channel, size_t place, Load load, Store store) {
    V sum = load(job.bias + channel);
    for (size_t tap_line = 0; tap_line < job.kernel_height; ++tap_line) {
      const size_t y = job.under(job.line, tap_line);
      if (y >= job.height) continue;
      for (size_t tap = 0; tap < job.kernel_width; ++tap) {
        const size_t x = job.under(place, tap);
        if (x >= job.width) continue;
        sum = V::fma(load(job.in + (y * job.width + x) * job.channels + channel),
                     load(job.taps + (tap_line * job.kernel_width + tap) * job.channels + channel), sum);
      }
    }
    store(sum, job.out + place * job.channels + channel);
  }
};

}  // namespace
}  // namespace holdfast::tensor
