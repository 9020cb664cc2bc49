#pragma once

#include <cstdint>

namespace holdfast::measure {

// SplitMix64 (Steele, Lea, Flood 2014): a fast, seeded source of numbers that is the same on every machine.
class SampleSource {
 public:
  explicit SampleSource(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound), by Lemire's multiplication; the bias is below 2^-32 for bounds below 2^32.
  uint64_t below(uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>(static_cast<Wide>(next()) * bound >> 64);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // In [0, 1).

 private:
  uint64_t state_;
};

}  // namespace holdfast::measure
