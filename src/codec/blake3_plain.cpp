#include <bit>
#include <cstring>
#include <iterator>

#include "codec/blake3_kernel.h"

namespace holdfast::codec::blake3_kernel {
namespace {

inline void mix(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d, uint32_t x, uint32_t y) {
  a += b + x;
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 12);
  a += b + y;
  d = std::rotr(d ^ a, 8);
  c += d;
  b = std::rotr(b ^ c, 7);
}

// A template so that the schedule is known at compile time: a loop over it runs at a third of the speed.
template <int number>
inline void round(uint32_t* v, const uint32_t* m) {
  constexpr auto& s = schedule[number];
  mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

}  // namespace

void compress(Words& value, const std::byte* block, uint32_t length, uint64_t counter, uint32_t flags) {
  uint32_t m[16];
  std::memcpy(m, block, sizeof m);
  uint32_t v[16] = {value[0],
                    value[1],
                    value[2],
                    value[3],
                    value[4],
                    value[5],
                    value[6],
                    value[7],
                    initial[0],
                    initial[1],
                    initial[2],
                    initial[3],
                    static_cast<uint32_t>(counter),
                    static_cast<uint32_t>(counter >> 32),
                    length,
                    flags};
  round<0>(v, m);
  round<1>(v, m);
  round<2>(v, m);
  round<3>(v, m);
  round<4>(v, m);
  round<5>(v, m);
  round<6>(v, m);
  for (size_t i = 0; i < value.size(); ++i) value[i] = v[i] ^ v[i + 8];
}

void hash_many_plain(const Job& job, const std::byte* const* inputs, size_t count, Words* out) {
  for (size_t i = 0; i < count; ++i) {
    Words value = *job.key;
    for (size_t block = 0; block < job.blocks; ++block) {
      const uint32_t flags =
          job.flags | (block == 0 ? job.first : 0) | (block + 1 == job.blocks ? job.last : 0);
      compress(value, inputs[i] + block * 64, 64, job.counter + i * job.counter_step, flags);
    }
    out[i] = value;
  }
}

std::span<const Kernel> kernels() {
  static constexpr Kernel all[] = {{"plain", hash_many_plain},
#if defined(__x86_64__)
                                   {"avx2", hash_many_avx2},
                                   {"avx512", hash_many_avx512}
#endif
  };
#if defined(__x86_64__)
  static const size_t runnable = __builtin_cpu_supports("avx512f") ? 3
                                 : __builtin_cpu_supports("avx2")  ? 2
                                                                   : 1;
#else
  static constexpr size_t runnable = 1;
#endif
  return std::span(all).first(runnable);
}

}  // namespace holdfast::codec::blake3_kernel
