#include "codec/blake3_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

// Eight inputs at a time, word i of all of them in one register.
#define HOLD_LANES __attribute__((target("avx2"), always_inline)) inline

namespace holdfast::codec::blake3_kernel {
namespace {

constexpr size_t lanes = 8;

template <int bits>
HOLD_LANES __m256i rotate_right(__m256i x) {
  return _mm256_or_si256(_mm256_srli_epi32(x, bits), _mm256_slli_epi32(x, 32 - bits));
}
HOLD_LANES __m256i rotate_right_16(__m256i x) {
  return _mm256_shuffle_epi8(x, _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3,
                                                 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}
HOLD_LANES __m256i rotate_right_8(__m256i x) {
  return _mm256_shuffle_epi8(x, _mm256_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2,
                                                 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12));
}

HOLD_LANES void mix(__m256i& a, __m256i& b, __m256i& c, __m256i& d, __m256i x, __m256i y) {
  a = _mm256_add_epi32(_mm256_add_epi32(a, b), x);
  d = rotate_right_16(_mm256_xor_si256(d, a));
  c = _mm256_add_epi32(c, d);
  b = rotate_right<12>(_mm256_xor_si256(b, c));
  a = _mm256_add_epi32(_mm256_add_epi32(a, b), y);
  d = rotate_right_8(_mm256_xor_si256(d, a));
  c = _mm256_add_epi32(c, d);
  b = rotate_right<7>(_mm256_xor_si256(b, c));
}

// Eight rows of eight words become columns.
HOLD_LANES void transpose(__m256i* m) {
  __m256i t[8], u[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(m[i], m[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(m[i], m[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    m[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
    m[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
  }
}

// A template so that the schedule is known while the compiler still sees words, not an array in memory.
template <int number>
HOLD_LANES void round(__m256i* v, const __m256i* m) {
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

__attribute__((target("avx2"))) void hash_lanes(const Job& job, const std::byte* const* inputs,
                                                uint64_t counter, Words* out, size_t count) {
  __m256i value[8];
  for (int i = 0; i < 8; ++i) value[i] = _mm256_set1_epi32(static_cast<int>((*job.key)[i]));
  alignas(32) uint32_t counter_low[lanes], counter_high[lanes];
  for (size_t i = 0; i < lanes; ++i) {
    counter_low[i] = static_cast<uint32_t>(counter + i * job.counter_step);
    counter_high[i] = static_cast<uint32_t>((counter + i * job.counter_step) >> 32);
  }
  for (size_t block = 0; block < job.blocks; ++block) {
    __m256i m[16];
    for (size_t half = 0; half < 2; ++half) {
      for (size_t i = 0; i < lanes; ++i)
        m[half * 8 + i] =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(inputs[i] + block * 64 + half * 32));
      transpose(m + half * 8);
    }
    const uint32_t flags =
        job.flags | (block == 0 ? job.first : 0) | (block + 1 == job.blocks ? job.last : 0);
    __m256i v[16];
    for (int i = 0; i < 8; ++i) v[i] = value[i];
    for (int i = 0; i < 4; ++i) v[i + 8] = _mm256_set1_epi32(static_cast<int>(initial[i]));
    v[12] = _mm256_load_si256(reinterpret_cast<const __m256i*>(counter_low));
    v[13] = _mm256_load_si256(reinterpret_cast<const __m256i*>(counter_high));
    v[14] = _mm256_set1_epi32(64);
    v[15] = _mm256_set1_epi32(static_cast<int>(flags));
    round<0>(v, m);
    round<1>(v, m);
    round<2>(v, m);
    round<3>(v, m);
    round<4>(v, m);
    round<5>(v, m);
    round<6>(v, m);
    for (int i = 0; i < 8; ++i) value[i] = _mm256_xor_si256(v[i], v[i + 8]);
  }
  alignas(32) uint32_t columns[8][lanes];
  for (int i = 0; i < 8; ++i) _mm256_store_si256(reinterpret_cast<__m256i*>(columns[i]), value[i]);
  for (size_t lane = 0; lane < count; ++lane)
    for (size_t word = 0; word < 8; ++word) out[lane][word] = columns[word][lane];
}

}  // namespace

void hash_many_avx2(const Job& job, const std::byte* const* inputs, size_t count, Words* out) {
  Job rest = job;
  for (size_t done = 0; done < count; done += lanes) {
    const size_t now = std::min(lanes, count - done);
    rest.counter = job.counter + done * job.counter_step;
    if (now == 1) return hash_many_plain(rest, inputs + done, now, out + done);
    const std::byte* used[lanes];  // Idle lanes repeat the first input.
    for (size_t i = 0; i < lanes; ++i) used[i] = inputs[done + (i < now ? i : 0)];
    hash_lanes(rest, used, rest.counter, out + done, now);
  }
}

}  // namespace holdfast::codec::blake3_kernel
#endif
