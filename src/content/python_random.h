#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace holdfast::content {

// The bytes of CPython's random.seed(seed); random.randbytes(size), in which the protocol's own test vectors
// are given. For tests.
inline Bytes python_random_bytes(uint32_t seed, size_t size) {
  std::array<uint32_t, 624> state{};
  state[0] = 19650218U;
  for (uint32_t i = 1; i < 624; ++i) state[i] = 1812433253U * (state[i - 1] ^ (state[i - 1] >> 30)) + i;
  uint32_t at = 1;
  const auto wrap = [&] {
    if (++at < 624) return;
    state[0] = state[623];
    at = 1;
  };
  for (int i = 0; i < 624; ++i) {  // init_by_array with one word.
    state[at] = (state[at] ^ ((state[at - 1] ^ (state[at - 1] >> 30)) * 1664525U)) + seed;
    wrap();
  }
  for (int i = 0; i < 623; ++i) {
    state[at] = (state[at] ^ ((state[at - 1] ^ (state[at - 1] >> 30)) * 1566083941U)) - at;
    wrap();
  }
  state[0] = 0x80000000U;

  Bytes out(size);
  uint32_t next = 624;
  for (size_t filled = 0; filled < size; filled += 4) {
    if (next == 624) {
      for (size_t i = 0; i < 624; ++i) {
        const uint32_t mixed = (state[i] & 0x80000000U) | (state[(i + 1) % 624] & 0x7fffffffU);
        state[i] = state[(i + 397) % 624] ^ (mixed >> 1) ^ ((mixed & 1) != 0 ? 0x9908b0dfU : 0);
      }
      next = 0;
    }
    uint32_t word = state[next++];
    word ^= word >> 11;
    word ^= (word << 7) & 0x9d2c5680U;
    word ^= (word << 15) & 0xefc60000U;
    word ^= word >> 18;
    if (size - filled < 4) word >>= 32 - 8 * (size - filled);  // The last bytes are a smaller getrandbits.
    std::memcpy(out.data() + filled, &word, std::min<size_t>(4, size - filled));
  }
  return out;
}

}  // namespace holdfast::content
