#include <bit>
#include <cstring>
#include <iterator>

#include "codec/blake3_kernel.h"

namespace holdfast::codec::blake3_kernel {
namespace {

void mix(uint32_t* v, int a, int b, int c, int d, uint32_t x, uint32_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 7);
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
  for (const auto& s : schedule) {
    mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
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
